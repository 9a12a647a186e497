/** `unpackRepo` and `packFolder`: folders of records. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packFrom } from '../../../src/adapters/folders/pack.ts';
import { unpackInto } from '../../../src/adapters/folders/unpack.ts';
import { equalBytes } from '../../../src/core/data/bytes.ts';
import { readAll } from '../../../src/core/data/streams.ts';
import { repoOver } from '../../../src/core/repo/local-repo.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../src/core/storage/memory-block-store.ts';
import { openCar } from '../../../src/index.ts';
import { packFolder, unpackRepo } from '../../../src/node.ts';
import { DID, KEY, OTHER_KEY, POST, post } from '../../../src/testing/repo/harness.ts';
import { vectorBytes, vectorNames } from '../../vectors.ts';
import { scratchFolder } from '../scratch.ts';
import { badCar, badPathsCar, BAD_PATHS, BAD_RECORDS, oddWrites } from './odd-records.ts';
import { strictPlace } from './strict-folder.ts';

const root = scratchFolder('unpack');
let count = 0;
const next = (): string => join(root, `folder-${(count += 1)}`);

const memoryRepo = (signer = KEY): Repo =>
  repoOver({ did: DID, store: new MemoryBlockStore(), blobs: new MemoryBlobStore(), signer });

/** A repository of two posts, unpacked. */
const sample = async (): Promise<{ readonly repo: Repo; readonly folder: string }> => {
  const repo = memoryRepo();
  await repo.put(POST, 'a', post('one'));
  await repo.put(POST, 'B', post('two'));
  const folder = next();
  await unpackRepo(repo, folder);
  return { repo, folder };
};

const edit = (file: string, text: string): void => writeFileSync(file, text);

describe('a folder without edits gives the same CAR', () => {
  test.each(vectorNames('repos', /\.repo(\.car)?$/))('%s', async (name) => {
    const repo = await openCar(vectorBytes(`repos/${name}`));
    const folder = next();
    const unpacked = await unpackRepo(repo, folder);
    const packed = await packFolder(folder);
    expect(packed).toMatchObject({ edited: false, did: unpacked.did, rev: unpacked.rev, records: unpacked.records });
    expect(packed.data.toString()).toBe(String((await repo.head())!.data));
    expect(equalBytes(await readAll(packed.car()), await readAll(repo.exportCar()))).toBe(true);
  });

  test('of keys that file systems refuse or confuse, also where case is ignored', async () => {
    const repo = memoryRepo();
    await repo.write(oddWrites(200));
    const car = await readAll(repo.exportCar());
    for (const place of [strictPlace(next()), undefined]) {
      const folder = next();
      const packed =
        place === undefined
          ? (await unpackRepo(repo, folder), await packFolder(folder))
          : (await unpackInto(place, repo, {}), await packFrom(place, {}));
      expect(packed.edited).toBe(false);
      expect(equalBytes(await readAll(packed.car()), car)).toBe(true);
    }
  });

  test('of records outside the data model, which are stored as bytes', async () => {
    const repo = await openCar(await badCar(DID, KEY));
    const folder = next();
    expect(await unpackRepo(repo, folder)).toMatchObject({ records: 8, opaque: 7 });
    const files = join(folder, 'com.example.bad');
    for (const [name, bytes] of Object.entries(BAD_RECORDS)) {
      expect(new Uint8Array(readFileSync(join(files, `${name}.cbor`)))).toEqual(bytes);
    }
    expect(readdirSync(files)).toContain('raw.bin');
    expect(readdirSync(files)).toContain('valid.json');
    const packed = await packFolder(folder);
    expect(equalBytes(await readAll(packed.car()), await readAll(repo.exportCar()))).toBe(true);
  });

  test('of records whose collection is not an NSID, which are stored as bytes', async () => {
    const repo = await openCar(await badPathsCar(DID, KEY));
    const car = await readAll(repo.exportCar());
    const folder = next();
    expect(await unpackRepo(repo, folder)).toMatchObject({ records: BAD_PATHS.length + 1, opaque: BAD_PATHS.length });
    const packed = await packFolder(folder);
    expect(packed).toMatchObject({ edited: false, records: BAD_PATHS.length + 1 });
    expect(equalBytes(await readAll(packed.car()), car)).toBe(true);
    const names = readdirSync(folder, { recursive: true }).map(String);
    expect(names).toContain(join('%5fblobs', 'self.cbor'));
    expect(names.filter((name) => /^[._]/.test(name))).toEqual(['_commit.json']);
    const place = strictPlace(next());
    await unpackInto(place, repo, {});
    expect(equalBytes(await readAll((await packFrom(place, {})).car()), car)).toBe(true);
  });

  test('of a repository without records, and of an older commit', async () => {
    const repo = memoryRepo();
    const { cid } = await repo.write([]);
    await repo.put(POST, 'a', post('one'));
    const folder = next();
    expect(await unpackRepo(repo, folder, { at: cid })).toMatchObject({ records: 0, head: cid });
    expect(readdirSync(folder)).toEqual(['_commit.json']);
    expect((await packFolder(folder)).head.toString()).toBe(cid.toString());
  });
});

describe('the layout', () => {
  test('is that of goat', async () => {
    const { folder } = await sample();
    expect(readdirSync(folder).sort()).toEqual(['_commit.json', POST]);
    expect(readdirSync(join(folder, POST)).sort()).toEqual(['B.json', 'a.json']);
    expect(readFileSync(join(folder, POST, 'a.json'), 'utf8')).toBe(
      '{\n  "text": "one",\n  "$type": "app.bsky.feed.post",\n  "createdAt": "2024-01-02T03:04:05.678Z"\n}\n',
    );
    expect(JSON.parse(readFileSync(join(folder, '_commit.json'), 'utf8'))).toMatchObject({
      did: DID,
      version: 3,
      prev: null,
      data: { $link: expect.any(String) as string },
      sig: { $bytes: expect.any(String) as string },
    });
  });

  test('escapes names that differ only by case, and cuts long ones', async () => {
    const repo = memoryRepo();
    const rkeys = ['Abc', 'abc', 'Zed', 'a:b', 'con', 'x'.repeat(512)];
    await repo.write(rkeys.map((rkey) => ({ action: 'create', collection: POST, rkey, value: post(rkey) })));
    const folder = next();
    await unpackRepo(repo, folder);
    expect(readdirSync(join(folder, POST)).sort()).toEqual(
      ['%41bc.json', '%63on.json', 'Zed.json', 'a%3ab.json', 'abc.json', `${'x'.repeat(200)}%`].sort(),
    );
    expect(readdirSync(join(folder, POST, `${'x'.repeat(200)}%`, `${'x'.repeat(200)}%`))).toEqual([
      `${'x'.repeat(112)}.json`,
    ]);
  });

  test('has the blobs on request', async () => {
    const repo = memoryRepo();
    const blob = await repo.putBlob(new Uint8Array([1, 2, 3]));
    await repo.put(POST, 'a', post('one'));
    const folder = next();
    expect(await unpackRepo(repo, folder, { blobs: true })).toMatchObject({ blobs: 1 });
    expect([...readFileSync(join(folder, '_blobs', blob.ref.toString()))]).toEqual([1, 2, 3]);
    expect((await packFolder(folder)).edited).toBe(false);
  });

  test('of a commit that goat wrote is read', async () => {
    const { repo, folder } = await sample();
    const file = join(folder, '_commit.json');
    const { data, sig, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly data: { readonly $link: string };
      readonly sig: { readonly $bytes: string };
    };
    edit(file, JSON.stringify({ ...rest, data: { '/': data.$link }, sig: `${sig.$bytes}==` }));
    expect((await packFolder(folder)).head.toString()).toBe(String((await repo.head())!.cid));
  });
});

describe('edits', () => {
  const edited = async (): Promise<{ readonly repo: Repo; readonly folder: string }> => {
    const made = await sample();
    const posts = join(made.folder, POST);
    rmSync(join(posts, 'B.json'));
    edit(join(posts, 'a.json'), JSON.stringify({ ...post('changed'), reply: null }));
    mkdirSync(join(made.folder, 'com.example.note'));
    edit(join(made.folder, 'com.example.note', 'new.json'), '{"$type":"com.example.note"}');
    return made;
  };

  test('need a signer, and the new commit has a later rev', async () => {
    const { repo, folder } = await edited();
    await expect(packFolder(folder)).rejects.toMatchObject({
      code: 'SignerRequired',
      message: expect.stringContaining('sign a new commit') as string,
    });
    const before = (await repo.head())!;
    const packed = await packFolder(folder, { signer: KEY });
    expect(packed).toMatchObject({ edited: true, signed: true, records: 2 });
    expect(packed.rev > before.rev).toBe(true);
    const result = await repo.importCar(packed.car(), { key: KEY.did() });
    expect(result).toMatchObject({ created: 1, updated: 1, deleted: 1, faultCount: 0 });
    expect((await repo.get(POST, 'a'))?.value).toMatchObject({ text: 'changed', reply: null });
  });

  test('can be packed without a signature on request', async () => {
    const { folder } = await edited();
    expect(await packFolder(folder, { allowUnsigned: true })).toMatchObject({ edited: true, signed: false });
  });

  test('without a commit need a DID', async () => {
    const { folder } = await sample();
    rmSync(join(folder, '_commit.json'));
    await expect(packFolder(folder, { signer: KEY })).rejects.toMatchObject({ code: 'InvalidDid' });
    await expect(packFolder(folder, { did: DID })).rejects.toMatchObject({ code: 'SignerRequired' });
    expect(await packFolder(folder, { did: DID, signer: OTHER_KEY })).toMatchObject({ did: DID, edited: true });
  });

  test('keep the old commit if the tree is the same', async () => {
    const { repo, folder } = await sample();
    const file = join(folder, POST, 'a.json');
    edit(file, JSON.stringify(JSON.parse(readFileSync(file, 'utf8'))));
    const packed = await packFolder(folder, { signer: OTHER_KEY });
    expect(packed.head.toString()).toBe(String((await repo.head())!.cid));
    await expect(packFolder(folder, { did: 'did:web:b.example' })).rejects.toMatchObject({ code: 'WrongDid' });
  });
});

describe('invalid folders are refused, and the message names the file', () => {
  const cases: Readonly<Record<string, readonly [change: (folder: string) => void, code: string, path: string]>> = {
    'a record that is not JSON': [(folder) => edit(join(folder, POST, 'a.json'), '{'), 'Malformed', `${POST}/a.json`],
    'an empty file': [(folder) => edit(join(folder, POST, 'a.json'), ''), 'Malformed', `${POST}/a.json`],
    'a record with a float': [
      (folder) => edit(join(folder, POST, 'a.json'), '{"$type":"a","n":1.5}'),
      'Malformed',
      'a.json',
    ],
    'a record without $type': [(folder) => edit(join(folder, POST, 'a.json'), '{"n":1}'), 'Malformed', 'a.json'],
    'a key that is not valid': [
      (folder) => edit(join(folder, POST, 'a b.json'), '{"$type":"a"}'),
      'Malformed',
      'a b.json',
    ],
    'a bad escape': [(folder) => edit(join(folder, POST, 'a%zz.json'), '{"$type":"a"}'), 'Malformed', 'a%zz.json'],
    'a collection that is not valid': [
      (folder) => (mkdirSync(join(folder, 'notes')), edit(join(folder, 'notes', 'a.json'), '{"$type":"a"}')),
      'Malformed',
      'notes/a.json',
    ],
    'two files of one record': [
      (folder) => edit(join(folder, POST, '%61.json'), '{"$type":"a"}'),
      'Malformed',
      '%61.json',
    ],
    'another file': [(folder) => edit(join(folder, POST, 'notes.txt'), ''), 'Malformed', 'notes.txt'],
    'a file beside the collections': [(folder) => edit(join(folder, 'README.md'), ''), 'Malformed', 'README.md'],
    'a folder in a collection': [(folder) => mkdirSync(join(folder, POST, 'drafts')), 'Malformed', 'drafts'],
    'a link to a record': [(folder) => symlinkSync('a.json', join(folder, POST, 'c.json')), 'Malformed', 'c.json'],
    'a link to a collection': [
      (folder) => symlinkSync(POST, join(folder, 'com.example.x')),
      'Malformed',
      'com.example.x',
    ],
    'an invalid commit': [(folder) => edit(join(folder, '_commit.json'), '{"did":1}'), 'Malformed', '_commit.json'],
    'a file that is too large': [
      (folder) => edit(join(folder, POST, 'a.json'), ' '.repeat(17 * 1024 * 1024)),
      'LimitExceeded',
      'a.json',
    ],
  };
  test.each(Object.entries(cases))('%s', async (_, [change, code, path]) => {
    const { folder } = await sample();
    change(folder);
    const error = await packFolder(folder, { signer: KEY }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'RepoError', code, message: expect.stringContaining(path) as string });
    expect((error as Error).message).toContain(folder);
  });

  test('a missing folder', async () => {
    await expect(packFolder(next())).rejects.toMatchObject({ code: 'RepoNotFound' });
  });

  test('hidden files and files of desktops are left out', async () => {
    const { folder } = await sample();
    mkdirSync(join(folder, '.git'));
    edit(join(folder, '.gitignore'), '');
    edit(join(folder, POST, '.DS_Store'), '');
    expect((await packFolder(folder)).edited).toBe(false);
  });

  test('a file that changes before the CAR is read', async () => {
    const { folder } = await sample();
    const packed = await packFolder(folder);
    edit(join(folder, POST, 'a.json'), JSON.stringify(post('late')));
    await expect(readAll(packed.car())).rejects.toMatchObject({ code: 'Malformed' });
  });
});

describe('unpacking', () => {
  test('refuses a folder that is not empty, a file and a link, and changes none', async () => {
    const { repo, folder } = await sample();
    const before = readdirSync(folder);
    await expect(unpackRepo(repo, folder)).rejects.toMatchObject({ code: 'RepoExists' });
    expect(readdirSync(folder)).toEqual(before);
    await expect(unpackRepo(repo, join(folder, '_commit.json'))).rejects.toMatchObject({ code: 'RepoExists' });
    const link = next();
    symlinkSync('missing', link);
    await expect(unpackRepo(repo, link)).rejects.toMatchObject({ code: 'RepoExists' });
  });

  test('fills an empty folder, and creates the folders above', async () => {
    const { repo } = await sample();
    const folder = join(next(), 'a', 'b');
    await unpackRepo(repo, folder);
    expect(existsSync(join(folder, '_commit.json'))).toBe(true);
    const empty = next();
    mkdirSync(empty);
    await unpackRepo(repo, empty);
    expect(existsSync(join(empty, '_commit.json'))).toBe(true);
  });

  test('leaves nothing when it fails or is aborted', async () => {
    const above = next();
    await expect(unpackRepo(memoryRepo(), join(above, 'x'))).rejects.toMatchObject({ code: 'HeadNotFound' });
    const abort = new AbortController();
    const repo = memoryRepo();
    await repo.write(oddWrites(100));
    const done = unpackRepo(repo, join(above, 'x'), { signal: abort.signal, onProgress: () => abort.abort() });
    await expect(done).rejects.toMatchObject({ name: 'AbortError' });
    const slice = await openCar(vectorBytes('repos/repo_slice.car'));
    await expect(unpackRepo(slice, join(above, 'x'))).rejects.toMatchObject({ name: 'RepoError' });
    expect(existsSync(above)).toBe(false);
  });
});
