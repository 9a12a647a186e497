/** Changed folders: opening one is rejected, or no read returns wrong data. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { encodeCbor } from '../../src/core/data/cbor-encode.ts';
import { cidOf, CODEC_RAW, parseCid } from '../../src/core/data/cid.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { createRepo, openRepo } from '../../src/node.ts';
import { DID, KEY, POST, post, rkeyOf } from '../../src/testing/repo/harness.ts';
import type { Entry } from '../hostile/build-repository.ts';
import { blockOfBytes, carOf, posts, repositoryOf } from '../hostile/build-repository.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { hold, orRefused } from './fuzz-target.ts';
import type { Random } from './mutate-bytes.ts';
import { below, mutateBytes, pick } from './mutate-bytes.ts';

const BLOBS = ['one', 'two', 'three'].map((text) => new TextEncoder().encode(text.repeat(50)));
const cids = BLOBS.map((bytes) => cidOf(CODEC_RAW, bytes));

let seedFolder: Promise<string> | undefined;

/** {@link removeFolders} removes it. */
const root = mkdtempSync(join(tmpdir(), 'pdsdb-fuzz-'));
export const removeFolders = (): void => rmSync(root, { recursive: true, force: true });

const makeSeed = async (): Promise<string> => {
  const folder = join(root, 'seed');
  const repo = await createRepo(folder, { did: DID, signer: KEY });
  const records: Entry[] = posts(10);
  for (const [i, bytes] of BLOBS.entries()) {
    const blob = await repo.putBlob(bytes, { mimeType: 'text/plain' });
    records.push([`${POST}/blob${i}`, blockOfBytes(encodeCbor({ ...post('with a blob'), embed: blob }))]);
  }
  // From a CAR, because a written commit contains the time, and a case must be the same each time.
  await repo.importCar(carOf(await repositoryOf({ records })));
  await repo.close();
  return folder;
};

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

const NAMES = [
  'pds.db-journal',
  'pds.db-wal',
  'pds.lock',
  'blobs/.DS_Store',
  'blobs/ba/Thumbs.db',
  'blobs/ba/bafkrei',
  `blobs/${'0'.repeat(32)}.tmp-put`,
  'blobs/ba/x'.padEnd(200, 'y'),
];

const DAMAGES: readonly ((folder: string, random: Random) => void)[] = [
  (folder, random) => {
    const path = pick(random, filesBelow(folder));
    writeFileSync(path, mutateBytes(readFileSync(path), random));
  },
  (folder, random) => truncateSync(pick(random, filesBelow(folder)), below(random, 5000)),
  (folder, random) => rmSync(pick(random, filesBelow(folder))),
  (folder, random) => {
    const [from, to] = [pick(random, filesBelow(folder)), pick(random, filesBelow(folder))];
    cpSync(from, to === from ? `${to}~` : to);
  },
  (folder, random) => {
    const path = pick(random, filesBelow(folder));
    renameSync(path, `${path}-elsewhere`);
    symlinkSync(`${path}-elsewhere`, path);
  },
  (folder, random) => {
    const path = pick(random, filesBelow(folder));
    rmSync(path);
    mkdirSync(path);
  },
  (folder, random) => {
    const path = join(folder, pick(random, NAMES));
    // An earlier change may have removed the file.
    if (existsSync(dirname(path)) && filesBelow(folder).includes(join(folder, 'pds.db'))) {
      writeFileSync(path, mutateBytes(readFileSync(join(folder, 'pds.db')).subarray(0, below(random, 9000)), random));
    }
  },
  (folder) => rmSync(join(folder, 'blobs'), { recursive: true, force: true }),
];

const use = async (repo: Repo): Promise<void> => {
  for (const [i, cid] of cids.entries()) {
    await orRefused(async () => {
      const blob = await repo.getBlob(parseCid(cid.toString()));
      hold(
        blob === undefined || Buffer.from(await blob.arrayBuffer()).equals(BLOBS[i]!),
        'a returned blob matches its CID',
      );
    });
  }
  await orRefused(() => repo.get(POST, rkeyOf(1)));
  await orRefused(() => repo.verify());
  await orRefused(() => repo.putBlob(BLOBS[0]!));
  await orRefused(() => repo.put(POST, 'new', post('new')));
  await orRefused(() => repo.gc({ blobs: true, blobAge: 0 }));
  await orRefused(() => repo.close());
};

let count = 0;

export const folderTarget: FuzzTarget = {
  name: 'folder',
  async run(random) {
    seedFolder ??= makeSeed();
    const folder = join(root, `case-${count++}`);
    cpSync(await seedFolder, folder, { recursive: true });
    try {
      for (let i = 0; i <= below(random, 3) && filesBelow(folder).length > 0; i++) {
        pick(random, DAMAGES)(folder, random);
      }
      const repo = await orRefused(() => openRepo(folder, { signer: KEY }));
      if (repo === undefined) {
        return 'refused';
      }
      await use(repo);
      return 'accepted';
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
