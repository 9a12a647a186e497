/**
 * A disk with a repository, the same repository as a killed process leaves it, and a backup. The targets damage and
 * repair it.
 */
import { openSqliteBlockStore } from '../../src/adapters/sqlite/open-block-store.ts';
import { openDiskFiles } from '../../src/adapters/files/files-on-disk.ts';
import { sqliteRepo } from '../../src/adapters/sqlite/open-repo.ts';
import { decodeManifest, encodeManifest } from '../../src/core/repo/transfer/backup-manifest.ts';
import { encodeCbor } from '../../src/core/data/cbor-encode.ts';
import { hashAll } from '../../src/core/data/sha256.ts';
import { cidToText } from '../../src/core/data/cid.ts';
import { surveyBlocks } from '../../src/core/repo/care/survey.ts';
import type { DatabaseFiles } from '../../src/wasm/vfs/database-files.ts';
import type { Tid } from '../../src/core/syntax/tid.ts';
import { tidOf } from '../../src/core/syntax/tid.ts';
import { DID, POST, describe, post } from '../../src/testing/repo/harness.ts';
import { openDatabase } from '../adapters/sqlite/open-database.ts';
import type { DiskImage } from '../crash/disk-image.ts';
import { diskPort } from '../crash/disk-ports.ts';
import { backUp, platformOn } from '../crash/folders-on-disk.ts';
import { SimulatedDisk } from '../crash/simulated-disk.ts';
import type { Entry } from '../hostile/build-repository.ts';
import { blockOfBytes, carOf, posts, repositoryOf } from '../hostile/build-repository.ts';

export interface FolderSample {
  /** `/repo`, `/killed` with a WAL, and `/backup`. */
  readonly image: DiskImage;
  /** The texts of the commits' CIDs, oldest first. */
  readonly commits: readonly string[];
  /** The content of the repository as text. */
  readonly words: string;
}

const BLOBS = ['one', 'two', 'three'].map((text) => new TextEncoder().encode(text.repeat(2000)));
const revOf = (n: number): Tid => tidOf(1_700_000_000_000_000 + n * 1_000_000, 0);

const makeSample = async (): Promise<FolderSample> => {
  const disk = new SimulatedDisk();
  const commits: string[] = [];
  const words: string[] = [];
  for (const folder of ['/repo', '/killed']) {
    const repo = await sqliteRepo(platformOn(disk, folder, true), { did: DID });
    const pictures: Entry[] = [];
    for (const [i, bytes] of BLOBS.entries()) {
      const blob = await repo.putBlob(bytes, { mimeType: 'text/plain' });
      pictures.push([`${POST}/blob${i}`, blockOfBytes(encodeCbor({ ...post('with a blob'), embed: blob }))]);
    }
    // A record that does not fit into a page.
    const long: Entry = [`${POST}/long`, blockOfBytes(encodeCbor(post('long '.repeat(5000))))];
    // From CARs, because a written commit contains the time, and a case must be the same each time.
    for (const [n, records] of [posts(30), [...posts(30), ...pictures], [...posts(40), ...pictures, long]].entries()) {
      const repository = await repositoryOf({ records, fields: { rev: revOf(n) } });
      await repo.importCar(carOf(repository));
      await repo.setRef(`tag-${n}`, repository.commit.cid);
      if (folder === '/repo') {
        commits.push(cidToText(repository.commit.cid));
      }
    }
    words.push(await describe(repo));
    if (folder === '/killed') {
      // The salts of the WAL are random. The result does not depend on them.
      disk.kill();
      await repo.close().catch(() => undefined);
    } else {
      await repo.close();
    }
  }
  await backUp(disk, '/repo', 'backup');
  const manifest = decodeManifest(disk.image.read('/backup/manifest.json')!);
  disk.image.leave('/backup/manifest.json', encodeManifest({ ...manifest, created: '2024-01-02T03:04:05.678Z' }));
  return { image: disk.image, commits, words: words[0]! };
};

let sample: Promise<FolderSample> | undefined;

/** Made once. */
export const folderSample = (): Promise<FolderSample> => (sample ??= makeSample());

/** Damages the files of the database in a folder. */
export const withFiles = async <T>(
  disk: SimulatedDisk,
  folder: string,
  use: (files: DatabaseFiles) => Promise<T>,
): Promise<T> => {
  const files = await openDiskFiles(diskPort(disk), folder);
  try {
    return await use(files);
  } finally {
    await files.close();
  }
};

/** Returns the blocks in a folder that SQLite finds and that match their CIDs. */
export const soundBlocks = async (disk: SimulatedDisk, folder: string): Promise<Set<string>> => {
  const files = await openDiskFiles(diskPort(disk), folder);
  // Closes the files in every case, also if the database does not open.
  const store = await openSqliteBlockStore(await openDatabase(files), files);
  const found = new Set<string>();
  try {
    await surveyBlocks(store, hashAll, (cid, _, sound) => void (sound && found.add(cidToText(cid))));
  } finally {
    await store.close();
  }
  return found;
};

/**
 * Returns every path of a disk with its content, to compare before and after. Omits locks and empty files, which any
 * opening removes.
 */
export const contentOf = (image: DiskImage): Map<string, string> =>
  new Map(
    image
      .paths()
      .map((path) => [path, path.endsWith('/') ? 'folder' : Buffer.from(image.read(path)!).toString('latin1')] as const)
      .filter(([path, content]) => content !== '' && !path.endsWith('.lock')),
  );

export const sameContent = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([path, content]) => b.get(path) === content);
