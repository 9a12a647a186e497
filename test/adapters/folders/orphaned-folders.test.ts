/** Orphaned folders of killed backups and restorations, beside their target. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isSiblingOf, siblingOf } from '../../../src/adapters/folders/place.ts';
import { createRepo, openRepo, restoreBackup, saveBackup } from '../../../src/node.ts';
import { scratchFolder } from '../scratch.ts';

const scratch = scratchFolder('orphaned-folders');
const did = 'did:web:alice.example.com';
let places = 0;

/** Creates a repository in a new folder, and returns a path for its backup. */
const makePlace = async (): Promise<{ readonly at: string; readonly repo: string; readonly backup: string }> => {
  const at = join(scratch, `p${++places}`);
  const repo = join(at, 'alice');
  await using made = await createRepo(repo, { did });
  await made.put('com.example.post', 'a', { text: 'hello' });
  await made.putBlob(new Uint8Array(100_000));
  return { at, repo, backup: join(at, 'backup') };
};

/** Runs `run` with the name of the temporary folder while a backup is written. */
const duringBackup = async (repo: string, backup: string, run: (temporary: string) => void): Promise<void> => {
  await using opened = await openRepo(repo, { readOnly: true });
  let hasRun = false;
  await saveBackup(opened, backup, {
    force: true,
    onProgress: ({ phase }) => {
      const name = fs.readdirSync(join(backup, '..')).find((other) => isSiblingOf('backup', 'tmp', other));
      if (phase === 'write' && !hasRun && name !== undefined) {
        hasRun = true;
        run(name);
      }
    },
  });
  expect(hasRun).toBe(true);
};

const names = (at: string): string[] => fs.readdirSync(at).sort();

test('only names of temporary siblings are recognized', () => {
  for (const name of ['alice', 'x'.repeat(255), 'ä'.repeat(127)]) {
    const sibling = siblingOf(name, 'tmp');
    expect(isSiblingOf(name, 'tmp', sibling)).toBe(true);
    expect(isSiblingOf(name, 'old', sibling)).toBe(false);
    expect(isSiblingOf(`${name.slice(0, 3)}b`, 'tmp', sibling)).toBe(false);
  }
  expect(isSiblingOf('alice', 'tmp', 'alice.tmp-mine')).toBe(false);
  expect(isSiblingOf('alice', 'tmp', 'alice.tmp-0123456789abc')).toBe(false);
});

test('the next backup removes the folder of a killed backup, and nothing else', async () => {
  const { at, repo, backup } = await makePlace();
  const dead = 'backup.tmp-0123456789ab';
  const others = ['backup.tmp-mine', 'backup.tmp-0123456789abc', 'other.tmp-0123456789ab'];
  // As after a kill: the lock in a copy is stale.
  await duringBackup(repo, backup, (temporary) => {
    expect(fs.readdirSync(join(at, temporary))).toContain('pds.lock');
    fs.cpSync(join(at, temporary), join(at, dead), { recursive: true });
  });
  for (const other of others) {
    fs.cpSync(join(at, dead), join(at, other), { recursive: true });
  }
  // New and without a lock: another process may be about to rename it.
  fs.mkdirSync(join(at, 'backup.tmp-ffffffffffff'));
  expect(names(at)).toEqual(['alice', 'backup', dead, ...others, 'backup.tmp-ffffffffffff'].sort());
  await duringBackup(repo, backup, () => expect(names(at)).not.toContain(dead));
  expect(names(at)).toEqual(['alice', 'backup', ...others, 'backup.tmp-ffffffffffff'].sort());
  expect(fs.readdirSync(backup).sort()).toEqual(['blobs', 'manifest.json', 'pds.db']);
});

test('the folder of a running backup stays', async () => {
  const { at, repo, backup } = await makePlace();
  let during: Promise<void> | undefined;
  let seen = '';
  await duringBackup(repo, backup, (temporary) => {
    seen = temporary;
    during = (async () => {
      await using opened = await openRepo(repo, { readOnly: true });
      await saveBackup(opened, join(at, 'backup'), { force: true }).catch(() => undefined);
    })();
    expect(names(at)).toContain(seen);
  }).catch(() => undefined);
  await during;
  expect(seen).not.toBe('');
  await using opened = await openRepo(repo, { readOnly: true });
  await saveBackup(opened, backup, { force: true });
  expect(names(at)).toEqual(['alice', 'backup']);
  await restoreBackup(backup, join(at, 'again'));
});

test('the next restoration removes the folders of a killed restoration: the new and the replaced one', async () => {
  const { at, repo, backup } = await makePlace();
  {
    await using opened = await openRepo(repo);
    await saveBackup(opened, backup);
    // A new repository and a replaced one, each with a stale lock.
    fs.cpSync(repo, join(at, 'alice.tmp-0123456789ab'), { recursive: true });
    fs.cpSync(repo, join(at, 'alice.old-0123456789ab'), { recursive: true });
  }
  await expect(restoreBackup(backup, repo)).rejects.toMatchObject({ code: 'RepoExists' });
  expect(names(at)).toContain('alice.old-0123456789ab');
  await restoreBackup(backup, repo, { force: true });
  expect(names(at)).toEqual(['alice', 'backup']);
});
