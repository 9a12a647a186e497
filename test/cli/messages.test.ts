/** Error messages of the command and the library: the path, the reason, and what to do. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAsBlob } from 'node:fs';
import { createRepo, openRepo } from '../../src/node.ts';
import { jsonLines, pdsdb } from './run-command.ts';
import { DID, createSampleAccount, json } from './sample-account.ts';

let folder: string;
let remove: () => Promise<void>;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  ({ folder, remove } = await createSampleAccount());
  await json(['export', at('alice'), '-o', at('alice.car')]);
  await mkdir(at('notes'));
  await writeFile(at('notes/notes.txt'), 'mine');
  await symlink('nowhere', at('dangling'));
});
afterAll(() => remove());

describe('the command', () => {
  test.each<[string, () => readonly string[], string, () => string]>([
    [
      'a missing repository',
      () => ['info', at('none')],
      'RepoNotFound',
      () =>
        `cannot open the repository: the folder is missing. Check the path, or create a repository there; path=${at('none')}`,
    ],
    [
      'a folder that is not a repository',
      () => ['info', at('notes')],
      'RepoNotFound',
      () =>
        `the folder has no repository, because it has no pds.db: check the path, or create a repository there; path=${at('notes')}`,
    ],
    [
      'import into a folder that is not a repository',
      () => ['import', at('notes'), at('alice.car')],
      'RepoNotFound',
      () =>
        `Cannot import into ${at('notes')}: the folder has files and no pds.db. Import into a repository, or into an empty or new folder.`,
    ],
    [
      'import of a missing file',
      () => ['import', at('new'), at('none.car')],
      'ENOENT',
      () => `Cannot read ${at('none.car')}: the file or folder is missing. Check the path.`,
    ],
    [
      'a missing file for a blob',
      () => ['blob', 'add', at('alice'), at('avatar.png')],
      'ENOENT',
      () => `Cannot read ${at('avatar.png')}: the file or folder is missing. Check the path.`,
    ],
    [
      'a missing key file',
      () => ['put', at('alice'), 'a.b.c', '{}', '--key', at('none')],
      'ENOENT',
      () => `Cannot read ${at('none')}: the file or folder is missing. Check the path.`,
    ],
    [
      'init of an existing repository',
      () => ['init', at('alice'), '--did', DID],
      'RepoExists',
      () => `the repository already exists: open it, or choose another folder; path=${join(at('alice'), 'pds.db')}`,
    ],
    [
      'init with the path of a file',
      () => ['init', at('alice.car'), '--did', DID],
      'StorageFailed',
      () =>
        `cannot create the folder of the repository: the path is a file, or a symbolic link to a missing target. Choose another folder; path=${at('alice.car')}`,
    ],
    [
      'a link to a missing target',
      () => ['info', at('dangling')],
      'RepoNotFound',
      () =>
        `cannot open the repository: the path is a link, a pipe or a device, and a repository is a folder. Check the path; path=${at('dangling')}`,
    ],
    [
      'the database of a repository',
      () => ['ls', join(at('alice'), 'pds.db')],
      'Malformed',
      () => 'the input is not a CAR: it is an SQLite database; if it is the pds.db of a repository, open its folder',
    ],
  ])('%s', async (_, args, code, message) => {
    const outcome = await pdsdb([...args(), '--json']);
    expect(outcome.stderr).toBe(`error: ${message()}\n`);
    expect(jsonLines(outcome.stdout)).toEqual([{ error: code, message: message() }]);
    expect(outcome.code).toBe(1);
  });

  test.each<[string, () => readonly string[]]>([
    ['info', () => ['info', '']],
    ['ls', () => ['ls', '']],
    ['init', () => ['init', '', '--did', DID]],
    ['import into', () => ['import', '', at('alice.car')]],
    ['import of', () => ['import', at('new'), '']],
    ['backup', () => ['backup', at('alice'), '']],
    ['restore of', () => ['restore', '', at('new')]],
    ['restore into', () => ['restore', at('alice'), '']],
    ['repair', () => ['repair', '']],
    ['gc', () => ['gc', '']],
    ['a key', () => ['put', at('alice'), 'a.b.c', '{}', '--key', '']],
    ['a blob', () => ['blob', 'add', at('alice'), '']],
    ['a record', () => ['put', at('alice'), 'a.b.c', '@']],
    ['output', () => ['export', at('alice'), '-o', '']],
  ])('an empty path is not the current folder: %s', async (_, args) => {
    const outcome = await pdsdb([...args(), '--json']);
    expect(outcome).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: The path of [^\n]+ is empty\./) });
    expect(jsonLines(outcome.stdout)).toMatchObject([{ error: 'InvalidRequest' }]);
  });

  test('version is also a verb', async () => {
    expect(await pdsdb(['version'])).toEqual(await pdsdb(['--version']));
    expect(await json(['version'])).toEqual([{ version: '1.2.3' }]);
  });

  test('no message is only the error code of the operating system', async () => {
    for (const args of [
      ['import', at('alice.car/x'), at('alice.car')],
      ['import', at('new'), at('alice.car/x')],
      ['export', at('alice'), '-o', at('alice.car/x')],
      ['key', 'inspect', at('alice.car/x')],
      ['init', at('alice.car/x'), '--did', DID],
      ['restore', at('alice.car/x'), at('new')],
      ['info', `/${'x'.repeat(300)}`],
      ['import', at('x'.repeat(300)), at('alice.car')],
    ]) {
      const { code, stderr } = await pdsdb(args);
      expect(code).toBe(1);
      expect(stderr).not.toMatch(/^error: E[A-Z]+:|, (stat|open|mkdir|lstat|scandir)\b/);
    }
  });
});

describe('the library', () => {
  test('the error names the kind of a path that is not a repository', async () => {
    await expect(openRepo('')).rejects.toMatchObject({
      code: 'RepoNotFound',
      message: expect.stringContaining('empty'),
    });
    await expect(createRepo('', { did: DID })).rejects.toMatchObject({ code: 'RepoNotFound' });
    await expect(openRepo(at('alice.car'))).rejects.toMatchObject({
      code: 'RepoNotFound',
      message: `cannot open the repository: the path is a file, and a repository is a folder. Open a CAR as a CAR, or import it into a new folder; path=${at('alice.car')}`,
    });
    await expect(createRepo(at('alice'), { did: DID })).rejects.toMatchObject({
      code: 'RepoExists',
      message: expect.stringContaining('open it, or choose another folder'),
    });
  });

  test('the error names a blob whose file is missing', async () => {
    const repo = await openRepo(at('alice'));
    await expect(repo.putBlob(() => openAsBlob(at('avatar.png'), { type: 'image/png' }))).rejects.toMatchObject({
      name: 'RepoError',
      code: 'BlobNotFound',
      message: expect.stringContaining('check that the file exists'),
    });
    await writeFile(at('there.png'), 'image');
    const blob = await openAsBlob(at('there.png'), { type: 'image/png' });
    await expect(repo.putBlob(Promise.reject(new Error('no such file')))).rejects.toMatchObject({
      code: 'BlobNotFound',
    });
    expect(await repo.putBlob(Promise.resolve(blob))).toMatchObject({ mimeType: 'image/png', size: 5 });
    await writeFile(at('there.png'), 'another image');
    await expect(repo.putBlob(blob)).rejects.toMatchObject({ name: 'RepoError', code: 'BlobNotFound' });
    await repo.close();
  });
});
