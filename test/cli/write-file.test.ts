/** What the command puts in the place of other files, and what it writes into. */
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
  test('a symbolic link stays one, and what it leads to is replaced', async () => {
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

  test('one that leads to nothing yet leads to the file afterwards', async () => {
    await mkdir(at('far'));
    await symlink('far/target', at('link'));
    await writeFile(at('link'), WORDS, { force: true });
    expect(await readlink(at('link'))).toBe('far/target');
    expect(await textOf('far/target')).toBe('new words');
  });

  test('one that leads in a circle is an error', async () => {
    await symlink('b', at('a'));
    await symlink('a', at('b'));
    await expect(writeFile(at('a'), WORDS, { force: true })).rejects.toMatchObject({ code: 'ELOOP' });
    expect((await readdir(folder)).sort()).toEqual(['a', 'b']);
  });

  test('a pipe is written into, and stays one', async () => {
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

test('without force nothing that is there is touched, be it a link that leads nowhere', async () => {
  await write(at('file'), 'old');
  await symlink('nowhere', at('link'));
  for (const name of ['file', 'link']) {
    await expect(writeFile(at(name), WORDS)).rejects.toMatchObject({ code: 'FileExists' });
  }
  expect(await textOf('file')).toBe('old');
  expect((await readdir(folder)).sort()).toEqual(['file', 'link']);
});
