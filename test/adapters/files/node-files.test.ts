import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { openNodeFiles } from '../../../src/adapters/files/node-files.ts';
import { databaseFilesCases } from '../../../src/testing/files/database-files-cases.ts';
import { runCases } from '../../run-cases.ts';
import { makeFilesHarness } from '../node-harness.ts';
import { scratchFolder } from '../scratch.ts';

const root = scratchFolder('node-files');

describe('the cases for database files', () => runCases(databaseFilesCases, () => makeFilesHarness(root)));

const bytes = new Uint8Array([1, 2, 3]);
let folder: string;
const at = (name: string): string => join(folder, name);
const code = (value: string): object => expect.objectContaining({ name: 'RepoError', code: value });

/** A folder with content in pds.db. */
const made = async (): Promise<void> => {
  const files = await openNodeFiles(folder, { create: true });
  files.main.write(bytes, { at: 0 });
  await files.close();
};

beforeEach(() => {
  folder = join(fs.mkdtempSync(join(root, 'case-')), 'repo');
});

describe('opening', () => {
  test('create makes the folder and its parents', async () => {
    folder = at('a/b/c');
    await made();
    expect(fs.readdirSync(folder)).toEqual(['pds.db']);
  });

  test('while open, the database and the lock exist, and each journal after its first write', async () => {
    const files = await openNodeFiles(folder, { create: true });
    const names = () => fs.readdirSync(folder).sort();
    expect(names()).toEqual(['pds.db', 'pds.lock']);
    expect([files.wal.read(new Uint8Array(4), { at: 0 }), files.wal.getSize()]).toEqual([0, 0]);
    files.wal.truncate(0);
    files.wal.flush();
    expect(names()).toEqual(['pds.db', 'pds.lock']);
    files.wal.write(bytes, { at: 0 });
    expect(names()).toEqual(['pds.db', 'pds.db-wal', 'pds.lock']);
    files.journal.truncate(4096);
    expect(names()).toEqual(['pds.db', 'pds.db-journal', 'pds.db-wal', 'pds.lock']);
    await files.close();
    expect(() => files.wal.write(bytes, { at: 0 })).toThrow(code('Closed') as Error);
  });

  test('reading changes nothing in the folder', async () => {
    await made();
    const before = fs.statSync(folder, { bigint: true }).mtimeNs;
    const files = await openNodeFiles(folder);
    fs.rmSync(at('pds.lock'));
    const opened = fs.statSync(folder, { bigint: true }).mtimeNs;
    expect([files.main.getSize() > 0, opened > before]).toEqual([true, true]);
    await files.close();
    expect(fs.statSync(folder, { bigint: true }).mtimeNs).toBe(opened);
  });

  test('create refuses an existing database, and does not change it', async () => {
    await made();
    await expect(openNodeFiles(folder, { create: true })).rejects.toEqual(code('RepoExists'));
    expect(fs.readdirSync(folder)).toEqual(['pds.db']);
    expect(fs.readFileSync(at('pds.db'))).toEqual(Buffer.from(bytes));
  });

  test('create refuses a WAL without its database', async () => {
    fs.mkdirSync(folder);
    fs.writeFileSync(at('pds.db-wal'), 'log');
    await expect(openNodeFiles(folder, { create: true })).rejects.toEqual(code('RepoExists'));
    await expect(openNodeFiles(folder)).rejects.toEqual(code('RepoNotFound'));
  });

  test('an empty database is an interrupted creation: it does not open, and can be created again', async () => {
    fs.mkdirSync(folder);
    fs.writeFileSync(at('pds.db'), '');
    await expect(openNodeFiles(folder)).rejects.toEqual(code('RepoNotFound'));
    await made();
    const files = await openNodeFiles(folder);
    expect(files.main.getSize()).toBe(3);
    await files.close();
  });

  test('an empty database with a WAL is a repository', async () => {
    fs.mkdirSync(folder);
    fs.writeFileSync(at('pds.db'), '');
    fs.writeFileSync(at('pds.db-wal'), 'log');
    const files = await openNodeFiles(folder);
    expect(files.wal.getSize()).toBe(3);
    await files.close();
    expect(fs.readdirSync(folder)).toEqual(['pds.db', 'pds.db-wal']);
  });

  test('a missing repository is RepoNotFound with its path, and nothing is created', async () => {
    await expect(openNodeFiles(folder)).rejects.toThrow(folder);
    await expect(openNodeFiles(folder)).rejects.toEqual(code('RepoNotFound'));
    expect(fs.existsSync(folder)).toBe(false);
    fs.mkdirSync(folder);
    await expect(openNodeFiles(folder)).rejects.toThrow(/has no pds\.db: .*; path=/);
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test.each([
    ['a symbolic link', (path: string) => fs.symlinkSync('elsewhere', path)],
    ['a folder', (path: string) => void fs.mkdirSync(path)],
    ['a FIFO', (path: string) => void execFileSync('mkfifo', [path])],
  ])('%s in place of a file is refused before it is opened', async (_, make) => {
    await made();
    fs.writeFileSync(at('elsewhere'), 'content');
    for (const name of ['pds.db-journal', 'pds.db-wal', 'pds.db']) {
      fs.rmSync(at(name), { force: true });
      make(at(name));
      await expect(openNodeFiles(folder)).rejects.toEqual(code('StorageFailed'));
      await expect(openNodeFiles(folder, { create: true })).rejects.toEqual(code('StorageFailed'));
      fs.rmSync(at(name), { recursive: true });
    }
    expect(fs.readdirSync(folder)).toEqual(['elsewhere']);
  });

  test('a file instead of the folder is RepoNotFound, or StorageFailed with create', async () => {
    fs.writeFileSync(folder, 'x');
    await expect(openNodeFiles(folder)).rejects.toEqual(code('RepoNotFound'));
    await expect(openNodeFiles(folder, { create: true })).rejects.toEqual(code('StorageFailed'));
  });

  test('a failure keeps its cause', async () => {
    fs.writeFileSync(folder, 'x');
    const error = await openNodeFiles(join(folder, 'below'), { create: true }).catch((cause: unknown) => cause);
    expect((error as Error).cause).toMatchObject({ code: 'ENOTDIR' });
  });

  test('leaves no descriptor behind, opened and closed or failed', async () => {
    await made();
    const count = (): number => fs.readdirSync('/proc/self/fd').length;
    const before = count();
    for (let i = 0; i < 20; i++) {
      await (await openNodeFiles(folder)).close();
      await openNodeFiles(folder, { create: true }).catch(() => {});
    }
    fs.mkdirSync(at('pds.db-wal'));
    for (let i = 0; i < 20; i++) {
      await openNodeFiles(folder).catch(() => {});
    }
    // The test runner sometimes opens files itself.
    expect(count()).toBeLessThan(before + 10);
  });
});

describe('the files', () => {
  test('stay closed: they cannot access a file that is opened next', async () => {
    const files = await openNodeFiles(folder, { create: true });
    await files.close();
    const fd = fs.openSync(join(root, 'other'), 'w+');
    expect(() => files.main.write(bytes, { at: 0 })).toThrow(code('Closed') as Error);
    expect(fs.fstatSync(fd).size).toBe(0);
    fs.closeSync(fd);
  });

  test('a failed close still releases the lock', async () => {
    await made();
    const files = await openNodeFiles(folder);
    for (const journal of [files.journal, files.wal]) {
      journal.write(bytes, { at: 0 });
    }
    fs.rmSync(at('pds.db-wal'));
    fs.mkdirSync(at('pds.db-wal'));
    fs.rmSync(at('pds.db-journal'));
    await files.close().catch(() => {});
    fs.rmdirSync(at('pds.db-wal'));
    await (await openNodeFiles(folder)).close();
    expect(fs.readdirSync(folder)).toEqual(['pds.db']);
  });
});
