/** A restoration of a damaged backup. It changes nothing, or it restores the repository of the backup. */
import { createHash } from 'node:crypto';
import { sqliteRepo } from '../../src/adapters/sqlite/open-repo.ts';
import { equalBytes } from '../../src/core/data/bytes.ts';
import { describe } from '../../src/testing/repo/harness.ts';
import { platformOn, restore } from '../crash/folders-on-disk.ts';
import type { DiskImage } from '../crash/disk-image.ts';
import { SimulatedDisk } from '../crash/simulated-disk.ts';
import { contentOf, folderSample, sameContent } from './folder-sample.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { hold, orRefused } from './fuzz-target.ts';
import type { Random } from './mutate-bytes.ts';
import { below, mutateBytes, pick } from './mutate-bytes.ts';
import { damageDatabase } from './repair-target.ts';

type Json = { [name: string]: Json } | Json[] | boolean | number | string | null;
type Manifest = { [name: string]: Json } & { files: { [path: string]: { size: number; sha256: string } } };

const MANIFEST = '/backup/manifest.json';
const ODD: readonly Json[] = [
  null,
  true,
  -1,
  0,
  1,
  0.5,
  2 ** 53,
  1e308,
  '',
  'main',
  '../pds.db',
  '__proto__',
  [],
  {},
  [[]],
  'did:web:other.example.com',
];
const NAMES = [
  '../pds.db',
  '/pds.db',
  'pds.db-wal',
  'pds.lock',
  'manifest.json',
  'blobs/ba/x',
  'blobs/../pds.db',
  '__proto__',
  'constructor',
  '',
  `blobs/ba/bafkrei${'a'.repeat(52)}`,
];

const readManifest = (disk: SimulatedDisk): Manifest =>
  JSON.parse(new TextDecoder().decode(disk.image.read(MANIFEST))) as Manifest;
const writeManifest = (disk: SimulatedDisk, manifest: Manifest): void =>
  disk.image.leave(MANIFEST, new TextEncoder().encode(JSON.stringify(manifest)));
const own = <T>(map: { [name: string]: T }, name: string, value: T): void =>
  void Object.defineProperty(map, name, { value, enumerable: true, configurable: true, writable: true });

const EDITS: readonly ((manifest: Manifest, random: Random) => void)[] = [
  (manifest, random) => own<Json>(manifest, pick(random, Object.keys(manifest)), pick(random, ODD)),
  (manifest, random) => void delete manifest[pick(random, Object.keys(manifest))],
  (manifest, random) =>
    own<Json>(
      manifest['counts'] as { [name: string]: Json },
      pick(random, ['blobs', 'blocks', 'commits', 'records', 'x']),
      pick(random, ODD),
    ),
  (manifest, random) => void delete manifest.files[pick(random, Object.keys(manifest.files))],
  (manifest, random) => own(manifest.files, pick(random, NAMES), { ...pick(random, Object.values(manifest.files)) }),
  (manifest, random) =>
    own<Json>(pick(random, Object.values(manifest.files)), pick(random, ['size', 'sha256', 'x']), pick(random, ODD)),
  (manifest, random) =>
    void Object.assign(pick(random, Object.values(manifest.files)), pick(random, Object.values(manifest.files))),
  (manifest, random) => void (pick(random, Object.values(manifest.files)).size += pick(random, [1, -1, 2 ** 40])),
];

/** Updates the manifest to the changed files, as far as it still names them. */
const fitManifest = (disk: SimulatedDisk): void => {
  const manifest = readManifest(disk);
  for (const [path, about] of Object.entries(manifest.files)) {
    const bytes = disk.image.read(`/backup/${path}`);
    if (bytes !== undefined) {
      Object.assign(about, { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
    }
  }
  writeManifest(disk, manifest);
};

const filesOfBackup = (disk: SimulatedDisk): string[] =>
  disk.image.paths('/backup').filter((path) => !path.endsWith('/'));

const DAMAGES: readonly ((disk: SimulatedDisk, random: Random) => void)[] = [
  (disk, random) => {
    const path = pick(random, filesOfBackup(disk));
    disk.image.leave(path, mutateBytes(disk.image.read(path)!, random));
  },
  (disk, random) => disk.image.leave(MANIFEST, mutateBytes(disk.image.read(MANIFEST)!, random)),
  (disk, random) => {
    const manifest = readManifest(disk);
    pick(random, EDITS)(manifest, random);
    writeManifest(disk, manifest);
  },
  (disk, random) => disk.changeNames([[pick(random, filesOfBackup(disk)), undefined]]),
  (disk, random) =>
    disk.image.leave(pick(random, filesOfBackup(disk)), disk.image.read(pick(random, filesOfBackup(disk)))!),
  (disk, random) => disk.image.leaveFolder(pick(random, filesOfBackup(disk))),
  (disk, random) =>
    disk.image.leave(
      `/backup/${pick(random, ['pds.db-wal', 'pds.db-journal', 'pds.lock', 'blobs/ba/.DS_Store', 'more'])}`,
      disk.image.read('/backup/pds.db')!.slice(0, below(random, 9000)),
    ),
];

/** Returns the content of a restored repository and the faults of `verify` as text. */
const lookAt = async (disk: SimulatedDisk, folder: string): Promise<{ words: string; ok: boolean }> => {
  const repo = await sqliteRepo(platformOn(disk, folder, false), {});
  try {
    return { words: await describe(repo), ok: (await repo.verify()).ok };
  } finally {
    await repo.close();
  }
};

/** Returns the files of a backup after they were opened as a repository. Opening adds a missing table of commits. */
const onceOpened = async (image: DiskImage): Promise<DiskImage> => {
  const disk = new SimulatedDisk(image.copy());
  await orRefused(() => lookAt(disk, '/backup'));
  return disk.image;
};

export const restoreTarget: FuzzTarget = {
  name: 'restoration of a backup',
  async run(random) {
    const sample = await folderSample();
    const disk = new SimulatedDisk(sample.image.copy());
    const isForged = random() < 0.3;
    if (isForged) {
      // With an updated manifest, its hashes match the changed files, and prove nothing about their content.
      await damageDatabase(disk, '/backup', sample, random);
      fitManifest(disk);
    } else {
      for (let i = 0; i <= below(random, 2) && disk.image.find(MANIFEST)?.kind === 'file'; i++) {
        await orNoJson(() => pick(random, DAMAGES)(disk, random));
      }
    }
    const force = random() < 0.3;
    const target = force ? 'repo' : 'restored';
    const before = contentOf(disk.image);
    const manifest = await orRefused(() => restore(disk, 'backup', target, force));
    if (manifest === undefined) {
      hold(sameContent(before, contentOf(disk.image)), 'a refused restoration changes nothing');
      return 'refused';
    }
    const image = isForged ? await onceOpened(disk.image) : disk.image;
    for (const [path] of manifest.files) {
      const [from, to] = [image.read(`/backup/${path}`), disk.image.read(`/${target}/${path}`)];
      hold(
        from !== undefined && to !== undefined && equalBytes(from, to),
        `the restored file equals the file of the backup: ${path}`,
      );
    }
    const others = [...before].filter(([path]) => !path.startsWith(`/${target}/`));
    const after = contentOf(disk.image);
    hold(
      others.every(([path, content]) => after.get(path) === content),
      'no other file is changed',
    );
    if (!isForged) {
      const { words, ok } = await lookAt(disk, `/${target}`);
      hold(ok, 'the restored repository is sound');
      hold(words === sample.words, `the repository is that of the backup: ${words}`);
    }
    return 'accepted';
  },
};

/** A manifest that does not parse as JSON is not edited. */
const orNoJson = async (run: () => void): Promise<void> => {
  try {
    run();
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) {
      throw error;
    }
  }
};
