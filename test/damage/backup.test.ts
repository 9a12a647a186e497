/** Backups over real folders: complete or absent. A damaged one is rejected, and the error names the file. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRepo, openRepo, restoreBackup, saveBackup } from '../../src/node.ts';
import { DID, KEY, POST, describe as describeRepo, post, rkeyOf } from '../../src/testing/repo/harness.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import type { Sample } from './damaged-repo.ts';
import { changeFile, flipBlock, makeSample, open, sql, verify } from './damaged-repo.ts';

const root = scratchFolder('backup');

interface BackedUp extends Sample {
  readonly backup: string;
  /** The folder of the repository and of the backup. */
  readonly around: string;
  readonly target: string;
}

const backedUp = async (): Promise<BackedUp> => {
  const sample = await makeSample(root);
  const around = dirname(sample.folder);
  const backup = join(around, 'backup');
  await open(sample.folder, (repo) => saveBackup(repo, backup));
  return { ...sample, backup, around, target: join(around, 'restored') };
};

/** Returns every file below a folder with its content, to compare before and after. */
const contentOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(folder.length), readFileSync(path).toString('base64')]),
  );

describe('a backup', () => {
  test('restores to a repository with the same content, and any SQLite opens its database', async () => {
    const { folder, backup, target, around } = await backedUp();
    expect(readdirSync(backup).sort()).toEqual(['blobs', 'manifest.json', 'pds.db']);
    const { did } = await restoreBackup(backup, target);
    expect(readdirSync(around).sort()).toEqual(['backup', 'repo', 'restored']);
    expect(await verify(target)).toMatchObject({ ok: true, blobs: 2 });
    expect(await open(target, async (repo) => [repo.did, await describeRepo(repo)])).toEqual([
      did,
      await open(folder, describeRepo),
    ]);
  });

  test('has the writes before its start and no later ones', async () => {
    const { folder, around, target } = await backedUp();
    const repo = await openRepo(folder, { signer: KEY });
    const before = await describeRepo(repo);
    const second = join(around, 'second');
    const saving = saveBackup(repo, second);
    for (let i = 0; i < 30; i++) {
      await repo.put(POST, rkeyOf(200 + i), post(`${i}`.repeat(200)));
    }
    const { manifest } = await saving;
    await repo.close();
    await restoreBackup(second, target);
    const head = await open(target, async (restored) => (await restored.head())!);
    expect(manifest).toMatchObject({ head: String(head.cid), rev: head.rev });
    expect(before).toMatch(/^baf/);
    expect(await verify(target)).toMatchObject({ ok: true });
    expect(await verify(folder)).toMatchObject({ ok: true, records: 62 });
  });

  test('does not replace another backup without force, and never replaces another folder', async () => {
    const { folder, backup, around } = await backedUp();
    const before = contentOf(backup);
    await open(folder, async (repo) => {
      await expect(saveBackup(repo, backup)).rejects.toMatchObject({ code: 'RepoExists' });
      await expect(saveBackup(repo, folder, { force: true })).rejects.toMatchObject({ code: 'RepoExists' });
      mkdirSync(join(around, 'letters'));
      writeFileSync(join(around, 'letters', 'one'), 'dear');
      await expect(saveBackup(repo, join(around, 'letters'), { force: true })).rejects.toMatchObject({
        code: 'RepoExists',
      });
      expect(contentOf(backup)).toEqual(before);
      await saveBackup(repo, backup, { force: true });
    });
    expect(readdirSync(around).sort()).toEqual(['backup', 'letters', 'repo']);
  });

  test('of a damaged repository is refused, and the existing backup stays', async () => {
    const { folder, backup, record, blobFile, around, target } = await backedUp();
    const before = contentOf(backup);
    await flipBlock(folder, record);
    changeFile(blobFile, (bytes) => void (bytes[0]! ^= 1));
    await open(folder, async (repo) => {
      await expect(saveBackup(repo, backup, { force: true })).rejects.toMatchObject({
        code: 'Corrupt',
        message: expect.stringContaining(String(record)),
      });
      expect(contentOf(backup)).toEqual(before);
      expect(readdirSync(around).sort()).toEqual(['backup', 'repo']);
      const { manifest } = await saveBackup(repo, join(around, 'damaged'), { damaged: true });
      expect([...manifest.files.keys()]).toHaveLength(2);
    });
    await restoreBackup(join(around, 'damaged'), target);
    expect((await verify(target)).faults).toHaveLength(1);
  });

  test('of a repository with an unreadable tree, or without a commit, is restored unchanged', async () => {
    const { folder, around, target, commits } = await backedUp();
    await flipBlock(folder, commits[2]!.data);
    await open(folder, (repo) => saveBackup(repo, join(around, 'damaged'), { damaged: true }));
    expect(await restoreBackup(join(around, 'damaged'), target)).toMatchObject({
      head: String(commits[2]!.cid),
      rev: null,
    });
    const empty = await createRepo(join(around, 'empty'), { did: DID });
    await saveBackup(empty, join(around, 'nothing'));
    await empty.close();
    expect(await restoreBackup(join(around, 'nothing'), join(around, 'nothing-again'))).toMatchObject({
      head: null,
      rev: null,
    });
    expect(await verify(join(around, 'nothing-again'))).toMatchObject({ ok: true });
  });

  test.each([
    ['with an invalid commit', `insert into commits values ('zzzzzzzzzzzzz', x'00')`],
    ['with an invalid block', `insert into blocks values ('x', x'00')`],
    [
      'with a commit that has no name, and without a head',
      `delete from refs; insert into commits values (null, x'00')`,
    ],
  ])('of a repository %s is restored unchanged', async (_, statement) => {
    const { folder, around, target } = await backedUp();
    await sql(folder, ...statement.split('; '));
    await open(folder, (repo) => saveBackup(repo, join(around, 'damaged'), { damaged: true }));
    await restoreBackup(join(around, 'damaged'), target);
    expect((await verify(target)).faults).toEqual((await verify(folder)).faults);
  });

  test('leaves no file when it is interrupted', async () => {
    const { folder, around } = await backedUp();
    const interruption = new AbortController();
    await open(folder, async (repo) => {
      const onProgress = ({ phase }: { readonly phase: string }): void =>
        phase === 'write' ? interruption.abort(new Error('enough')) : undefined;
      await expect(
        saveBackup(repo, join(around, 'second'), { signal: interruption.signal, onProgress }),
      ).rejects.toThrow('enough');
      expect(readdirSync(around).sort()).toEqual(['backup', 'repo']);
      await saveBackup(repo, join(around, 'second'));
    });
  });

  test('lacks a blob that is removed while the backup is made', async () => {
    const { folder } = await backedUp();
    await open(folder, async (repo) => {
      const making = (async () => {
        for await (const { path, content } of repo.backup()) {
          await new Response(content.stream() as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer();
          if (path === 'pds.db') {
            rmSync(join(folder, 'blobs', 'ba'), { recursive: true });
          }
        }
      })();
      await expect(making).rejects.toMatchObject({ code: 'BlobNotFound' });
    });
  });
});

describe('a damaged backup is refused, and nothing is restored', () => {
  const manifestOf = ({ backup }: BackedUp): string => join(backup, 'manifest.json');
  const edit = (
    backup: BackedUp,
    change: (manifest: { files: Record<string, { size: number; sha256: string }>; [field: string]: unknown }) => void,
  ): void => {
    const manifest = JSON.parse(readFileSync(manifestOf(backup), 'utf8')) as Parameters<typeof change>[0];
    change(manifest);
    writeFileSync(manifestOf(backup), JSON.stringify(manifest));
  };
  const blobIn = ({ backup, blob }: BackedUp): string => join(backup, 'blobs', 'ba', String(blob));

  test.each<[string, (backup: BackedUp) => void, string, (backup: BackedUp) => string]>([
    [
      'a flipped bit in pds.db',
      (b) => changeFile(join(b.backup, 'pds.db'), (bytes) => void (bytes[5000]! ^= 1)),
      'Malformed',
      () => 'pds.db',
    ],
    ['a pds.db that is cut', (b) => truncateSync(join(b.backup, 'pds.db'), 4096), 'Malformed', () => 'pds.db'],
    ['no pds.db', (b) => rmSync(join(b.backup, 'pds.db')), 'Malformed', () => 'pds.db'],
    [
      'a flipped bit in a blob',
      (b) => changeFile(blobIn(b), (bytes) => void (bytes[50]! ^= 1)),
      'Malformed',
      (b) => String(b.blob),
    ],
    ['a blob that is missing', (b) => rmSync(blobIn(b)), 'Malformed', (b) => String(b.blob)],
    [
      'a link in place of a blob',
      (b) => (renameSync(blobIn(b), join(b.around, 'real')), symlinkSync(join(b.around, 'real'), blobIn(b))),
      'Malformed',
      (b) => String(b.blob),
    ],
    ['no manifest', (b) => rmSync(manifestOf(b)), 'RepoNotFound', () => 'manifest.json'],
    ['an empty manifest', (b) => truncateSync(manifestOf(b), 0), 'Malformed', () => 'manifest.json'],
    [
      'a manifest of the future',
      (b) => edit(b, (manifest) => void (manifest['version'] = 2)),
      'UnknownVersion',
      () => 'version=2',
    ],
    [
      'a path that leads out',
      (b) => edit(b, ({ files }) => void (files['../../x'] = files['pds.db']!)),
      'Malformed',
      () => '../../x',
    ],
    [
      'another account',
      (b) => edit(b, (manifest) => void (manifest['did'] = 'did:web:other.example.com')),
      'Malformed',
      () => 'did:web:other.example.com',
    ],
    [
      'another head',
      (b) => edit(b, (manifest) => void (manifest['head'] = String(b.commits[0]!.cid))),
      'Malformed',
      () => 'head=',
    ],
    [
      'another rev',
      (b) => edit(b, (manifest) => void (manifest['rev'] = b.commits[0]!.rev)),
      'Malformed',
      () => 'rev=',
    ],
    [
      'no head',
      (b) => edit(b, (manifest) => void (manifest['head'] = manifest['rev'] = null)),
      'Malformed',
      () => 'manifest=null',
    ],
    ...['blobs', 'blocks', 'commits', 'records'].map(
      (what): [string, (backup: BackedUp) => void, string, () => string] => [
        `another number of ${what}`,
        (b) => edit(b, (manifest) => ((manifest['counts'] as Record<string, number>)[what]! += 1)),
        'Malformed',
        () => `${what}=`,
      ],
    ),
    [
      'another hash',
      (b) => edit(b, ({ files }) => void (files['pds.db'] = { ...files['pds.db']!, sha256: '0'.repeat(64) })),
      'Malformed',
      () => 'pds.db',
    ],
  ])('%s', async (_, damage, code, names) => {
    const backup = await backedUp();
    damage(backup);
    const before = readdirSync(backup.around);
    await expect(restoreBackup(backup.backup, backup.target)).rejects.toMatchObject({
      name: 'RepoError',
      code,
      message: expect.stringContaining(names(backup)),
    });
    expect(readdirSync(backup.around)).toEqual(before);
    // It also does not replace an existing repository.
    await expect(restoreBackup(backup.backup, backup.folder, { force: true })).rejects.toMatchObject({ code });
    expect(await verify(backup.folder)).toMatchObject({ ok: true });
    expect(readdirSync(backup.around)).toEqual(before);
  });
});

describe('a restoration', () => {
  test('does not replace a repository without force, an open repository, or another folder', async () => {
    const { backup, folder, around } = await backedUp();
    await expect(restoreBackup(backup, folder)).rejects.toMatchObject({ code: 'RepoExists' });
    await open(folder, () =>
      expect(restoreBackup(backup, folder, { force: true })).rejects.toMatchObject({ code: 'Locked' }),
    );
    mkdirSync(join(around, 'letters'));
    writeFileSync(join(around, 'letters', 'one'), 'dear');
    await expect(restoreBackup(backup, join(around, 'letters'), { force: true })).rejects.toMatchObject({
      code: 'RepoExists',
    });
    expect(existsSync(join(around, 'letters', 'one'))).toBe(true);
  });

  test('with force replaces a repository, also one that does not open', async () => {
    const { backup, folder, around, database } = await backedUp();
    const wanted = await open(folder, describeRepo);
    await sql(folder, 'delete from refs', 'delete from commits');
    changeFile(database, (bytes) => void bytes.fill(0, 0, 4096));
    await restoreBackup(backup, folder, { force: true });
    expect(await open(folder, describeRepo)).toBe(wanted);
    expect(readdirSync(around).sort()).toEqual(['backup', 'repo']);
  });

  test('into an empty folder needs no force, and a copied backup is valid', async () => {
    const { backup, around, target } = await backedUp();
    mkdirSync(target);
    cpSync(backup, join(around, 'copy'), { recursive: true });
    await restoreBackup(join(around, 'copy'), target);
    expect(await verify(target)).toMatchObject({ ok: true });
  });
});
