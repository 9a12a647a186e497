/** Backups with a manifest that takes much memory, and folders with the names of unfinished backups. */
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRepo, restoreBackup, saveBackup } from '../../../src/node.ts';
import type { Attack, AttackClass } from './attack.ts';
import { endOf, makePosts } from './attack.ts';
import { deadLock } from './lock-attacks.ts';

const SIXTY_MB = 60_000_000;

/** A backup with another text as its manifest. */
const withManifest =
  (change: (text: string) => string): Attack['make'] =>
  async (folder) => {
    await makePosts(join(folder, 'repo'));
    const repo = await openRepo(join(folder, 'repo'));
    await saveBackup(repo, join(folder, 'backup'));
    await repo.close();
    const path = join(folder, 'backup', 'manifest.json');
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  };

const restore: Attack['run'] = (folder) =>
  endOf(async () => {
    await restoreBackup(join(folder, 'backup'), join(folder, 'restored'));
    return 'restored';
  });

const first = (field: string) => (text: string) => text.replace('{', `{${field},`);
const files = (count: number): string =>
  Array.from({ length: count }, (_, i) => {
    const name = i.toString(2).replaceAll('0', 'a').replaceAll('1', 'b').padStart(59, 'a');
    return `"blobs/${name.slice(-2)}/${name}": {"size": 1, "sha256": "${'0'.repeat(64)}"}`;
  }).join();

type Change = (text: string) => string;

/** A manifest that begins like a valid one, and does not end. */
const endless = (start: string, filling: string) => (): string =>
  `{"version":1,"did":"did:web:alice.example.com",${start}${filling.repeat(SIXTY_MB / filling.length)}`;

const manifests: readonly Attack[] = (
  [
    [
      'an unknown field of lists in 30 million levels',
      first(`"x": ${'['.repeat(SIXTY_MB / 2)}${']'.repeat(SIXTY_MB / 2)}`),
    ],
    ['an unknown field with a name of 60 MB', first(`"${'a'.repeat(SIXTY_MB)}": 0`)],
    ['a number of 60 million digits', (text) => text.replace(/"version": /, `$&${'1'.repeat(SIXTY_MB)}`)],
    ['a count of another type', (text) => text.replace(/"counts": {/, `$&"x": [${'0,'.repeat(SIXTY_MB / 2)}0],`)],
    ['the same field a million times', first(Array.from({ length: 1_000_000 }, () => '"did": "x"').join())],
    ['60 MB of numbers in an unknown field', endless('"other":[', '1,')],
    ['60 MB of maps in an unknown field', endless('"other":', '{"":')],
    ['60 MB of text in a known field', endless('"created":"', 'x')],
    ['60 MB of spaces', endless('', ' ')],
    ['300,000 files that are missing', (text) => text.replace(/"files": {/, `$&${files(300_000)},`)],
  ] satisfies readonly (readonly [string, Change])[]
).map(([name, change]) => ({
  name,
  make: withManifest(change),
  run: restore,
  end: 'Malformed',
}));

const NAME = 'backup.tmp-0123456789ab';

/** A repository, and the folder of a killed backup. */
const orphanedFolder =
  (leave: (folder: string, path: string) => Promise<void> | void): Attack['make'] =>
  async (folder) => {
    await makePosts(join(folder, 'repo'));
    mkdirSync(join(folder, 'victim'));
    writeFileSync(join(folder, 'victim', 'letter'), 'dear');
    await leave(folder, join(folder, NAME));
  };

/** Saves a backup. Returns whether it has removed the other folder and no other file. */
const save: Attack['run'] = async (folder) => {
  const repo = await openRepo(join(folder, 'repo'));
  try {
    return await endOf(async () => {
      await saveBackup(repo, join(folder, 'backup'));
      const isSpared = readFileSync(join(folder, 'victim', 'letter'), 'utf8') === 'dear';
      const isGone = !readdirSync(folder).includes(NAME);
      return `saved, ${isGone ? 'removed' : 'kept'}${isSpared && existsSync(join(folder, 'repo', 'pds.db')) ? '' : ', harmed'}`;
    });
  } finally {
    await repo.close();
  }
};

const withLock = async (folder: string, path: string): Promise<void> => {
  mkdirSync(path);
  writeFileSync(join(path, 'pds.db'), 'half');
  writeFileSync(join(path, 'pds.lock'), await deadLock(folder));
};

export const manifestAttacks: AttackClass = { name: 'Manifests of backups', attacks: manifests };

export const leftoverAttacks: AttackClass = {
  name: 'Temporary folders of a killed backup',
  attacks: [
    { name: 'a folder with a stale lock', make: orphanedFolder(withLock), run: save, end: 'saved, removed' },
    {
      name: 'a folder with a link to another folder',
      make: orphanedFolder(async (folder, path) => {
        await withLock(folder, path);
        symlinkSync(join(folder, 'victim'), join(path, 'blobs'));
      }),
      run: save,
      end: 'saved, removed',
    },
    {
      name: 'a link to another folder with the name of a temporary folder',
      make: orphanedFolder(async (folder, path) => {
        writeFileSync(join(folder, 'victim', 'pds.lock'), await deadLock(folder));
        symlinkSync(join(folder, 'victim'), path);
      }),
      run: save,
      end: 'saved, kept',
    },
    {
      name: 'a file with the name of a temporary folder',
      make: orphanedFolder((_, path) => writeFileSync(path, 'mine')),
      run: save,
      end: 'saved, kept',
    },
  ],
};
