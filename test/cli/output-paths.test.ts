/** The paths that the command writes: missing folders, long names, symbolic links. */
import {
  rmSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  chmodSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRepo, restoreBackup, saveBackup } from '../../src/node.ts';
import { pdsdb } from './run-command.ts';
import { createSampleAccount, json } from './sample-account.ts';

let folder: string;
let remove: () => Promise<void>;
let blob: string;
const at = (name: string): string => join(folder, name);
const LONG = 'x'.repeat(255);
/** 85 characters of three bytes each. */
const LONG_IN_BYTES = '\u3042'.repeat(85);
const TEMPORARY = /\.tmp|\.old-|\.pdsdb-/;

beforeAll(async () => {
  ({ folder, remove } = await createSampleAccount());
  writeFileSync(at('blob'), 'a blob');
  const [ref] = (await json(['blob', 'add', at('alice'), at('blob')])) as [{ ref: { $link: string } }];
  blob = ref.ref.$link;
});
afterAll(() => remove());

/** The verbs that write to a path. */
const writers: readonly (readonly [string, (path: string) => readonly string[]])[] = [
  ['export', (path) => ['export', at('alice'), '-o', path]],
  ['key generate', (path) => ['key', 'generate', '-o', path]],
  ['blob get', (path) => ['blob', 'get', at('alice'), blob, '-o', path]],
  ['backup', (path) => ['backup', at('alice'), path]],
  ['restore', (path) => ['restore', at('made/backup/1/x'), path]],
];

beforeAll(() => json(['backup', at('alice'), at('made/backup/1/x')]));

describe('parent folders', () => {
  test.each(writers)('%s creates them', async (name, args) => {
    await json(args(at(`new/${name}/deep/x`)));
    expect(readdirSync(at(`new/${name}/deep`))).toEqual(['x']);
  });

  test.each([
    ['export of an empty repository', (path: string) => ['export', at('empty'), '-o', path]],
    ['export since an unknown rev', (path: string) => ['export', at('alice'), '--since', '3jzfcijpj2z2a', '-o', path]],
    ['restore of a folder without a backup', (path: string) => ['restore', at('alice'), path]],
  ])('%s leaves no temporary file', async (_, args) => {
    mkdirSync(at('fail'), { recursive: true });
    await pdsdb(['init', at('empty'), '--did', 'did:web:e.example']);
    expect(await pdsdb(args(at('fail/new/deep/x')))).toMatchObject({ code: 1, stdout: '' });
    expect(readdirSync(at('fail'))).toEqual([]);
  });

  test('the library creates them for a backup and a restoration', async () => {
    const repo = await openRepo(at('alice'));
    await saveBackup(repo, at('library/backups/alice'), { force: true });
    await repo.close();
    await restoreBackup(at('library/backups/alice'), at('library/again/alice'));
    expect(readdirSync(at('library/again/alice')).sort()).toEqual(['blobs', 'pds.db']);
  });
});

describe('names', () => {
  test.each(writers)('%s accepts names of 255 bytes, with and without --force', async (_, args) => {
    mkdirSync(at('names'), { recursive: true });
    for (const name of [LONG, LONG_IN_BYTES]) {
      await json(args(at(`names/${name}`)));
      await json([...args(at(`names/${name}`)), '--force']);
    }
    expect(readdirSync(at('names')).sort()).toEqual([LONG, LONG_IN_BYTES].sort());
    rmSync(at('names'), { recursive: true });
  });

  // Root can write everywhere.
  test.skipIf(process.getuid?.() === 0 || process.platform === 'win32')(
    'no message names a temporary file',
    async () => {
      mkdirSync(at('locked'));
      chmodSync(at('locked'), 0o500);
      for (const [, args] of writers) {
        const { code, stderr } = await pdsdb(args(at('locked/x')));
        expect(code).toBe(1);
        expect(stderr).not.toMatch(TEMPORARY);
        expect(stderr).toContain(at('locked/x'));
      }
    },
  );

  test('no message names a temporary file when a part of the path is a file', async () => {
    writeFileSync(at('file'), '');
    for (const [, args] of writers) {
      const { code, stderr } = await pdsdb(args(at('file/x')));
      expect(code).toBe(1);
      expect(stderr).not.toMatch(TEMPORARY);
      expect(stderr).toContain(at('file/x'));
    }
  });

  test.skipIf(process.platform !== 'linux')(
    'no message names one if the device is full or refuses the name',
    async () => {
      for (const [, args] of writers) {
        const { code, stderr } = await pdsdb(args('/proc/x/y'));
        expect(code).toBe(1);
        expect(stderr).not.toMatch(TEMPORARY);
        expect(stderr).toMatch(/^error: [^\n]*\/proc\/x\/y[^\n]*\n$/);
      }
    },
  );
});

describe.skipIf(process.platform === 'win32')('--force onto a symbolic link to a folder', () => {
  test('replaces its target if that is a backup, and keeps the link', async () => {
    await json(['backup', at('alice'), at('far/backup')]);
    symlinkSync('far/backup', at('near'));
    expect((await pdsdb(['backup', at('alice'), at('near')])).stderr).toMatch(/already/);
    await json(['backup', at('alice'), at('near'), '--force']);
    expect(lstatSync(at('near')).isSymbolicLink()).toBe(true);
    expect(lstatSync(at('far/backup')).isDirectory()).toBe(true);
    expect(readdirSync(at('far'))).toEqual(['backup']);
    expect(readdirSync(at('far/backup'))).toContain('manifest.json');
  });

  test('replaces its target if that is a repository', async () => {
    await json(['restore', at('far/backup'), at('far/repo')]);
    symlinkSync('far/repo', at('near-repo'));
    await json(['restore', at('far/backup'), at('near-repo'), '--force']);
    expect(lstatSync(at('near-repo')).isSymbolicLink()).toBe(true);
    expect(await json(['verify', at('near-repo')])).toMatchObject([{ ok: true }]);
  });

  test('for a file, the message says that it is a link to a folder', async () => {
    symlinkSync('far', at('to-folder'));
    for (const [, args] of writers.slice(0, 3)) {
      expect((await pdsdb([...args(at('to-folder')), '--force'])).stderr).toBe(
        `error: Cannot write ${at('to-folder')}: it is a symbolic link to a folder. Give the path of a file in that folder, or remove the link.\n`,
      );
    }
  });

  test('a link to a missing target is not replaced', async () => {
    symlinkSync('gone', at('dangling'));
    for (const [, args] of writers.slice(3)) {
      expect((await pdsdb([...args(at('dangling')), '--force'])).stderr).toContain('symbolic link to a missing target');
    }
    expect(lstatSync(at('dangling')).isSymbolicLink()).toBe(true);
  });
});

test('an empty path is refused', async () => {
  for (const [, args] of writers.slice(0, 3)) {
    expect(await pdsdb(args(''))).toMatchObject({ code: 1, stderr: expect.stringContaining('is empty') });
  }
  expect(readFileSync(at('blob'), 'utf8')).toBe('a blob');
});
