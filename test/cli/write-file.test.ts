/** How the command replaces files, and writes into pipes and devices. */
import { execFile } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readFile, readdir, readlink, rm, symlink, writeFile as write } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeFile } from '../../src/cli/terminal/write-file.ts';

const run = promisify(execFile);
const WORDS = [Buffer.from('new '), Buffer.from('words')];

let folder: string;
const at = (name: string): string => join(folder, name);
const textOf = (name: string): Promise<string> => readFile(at(name), 'utf8');

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pdsdb-write-file-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe.skipIf(process.platform === 'win32')('with force', () => {
  test('a symbolic link stays, and its target is replaced', async () => {
    await mkdir(at('far'));
    await write(at('far/target'), 'old');
    await symlink('far/target', at('link'));
    await symlink('link', at('link to link'));
    expect(await writeFile(at('link to link'), WORDS, { force: true })).toBe(9);
    expect(await readlink(at('link to link'))).toBe('link');
    expect(await readlink(at('link'))).toBe('far/target');
    expect(await textOf('far/target')).toBe('new words');
    expect(await readdir(at('far'))).toEqual(['target']);
  });

  test('a link to a missing target stays, and the target is created', async () => {
    await mkdir(at('far'));
    await symlink('far/target', at('link'));
    await writeFile(at('link'), WORDS, { force: true });
    expect(await readlink(at('link'))).toBe('far/target');
    expect(await textOf('far/target')).toBe('new words');
  });

  test('a link loop is an error', async () => {
    await symlink('b', at('a'));
    await symlink('a', at('b'));
    await expect(writeFile(at('a'), WORDS, { force: true })).rejects.toMatchObject({ code: 'ELOOP' });
    expect((await readdir(folder)).sort()).toEqual(['a', 'b']);
  });

  test('the output is written into a pipe, and the pipe stays', async () => {
    await run('mkfifo', [at('pipe')]);
    await symlink('pipe', at('link'));
    for (const name of ['pipe', 'link']) {
      const [{ stdout }] = await Promise.all([run('cat', [at('pipe')]), writeFile(at(name), WORDS, { force: true })]);
      expect(stdout).toBe('new words');
    }
    expect((await lstat(at('pipe'))).isFIFO()).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(['link', 'pipe']);
  });

  test('a folder is refused', async () => {
    await expect(writeFile(folder, WORDS, { force: true })).rejects.toMatchObject({
      code: 'InvalidRequest',
      message: expect.stringContaining(folder),
    });
  });
});

test('without force an existing entry is not changed, also a link to a missing target', async () => {
  await write(at('file'), 'old');
  await symlink('nowhere', at('link'));
  for (const name of ['file', 'link']) {
    await expect(writeFile(at(name), WORDS)).rejects.toMatchObject({ code: 'FileExists' });
  }
  expect(await textOf('file')).toBe('old');
  expect((await readdir(folder)).sort()).toEqual(['file', 'link']);
});
