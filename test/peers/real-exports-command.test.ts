/** Moves real accounts with the command, in folders, as a user would. */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasSqlite3, sqlite3 } from '../adapters/sqlite/open-database.ts';
import { jsonLines, pdsdb } from '../cli/run-command.ts';
import { vectorNames, vectorPath } from '../vectors.ts';

const EXPORTS = vectorNames('repos', /\.repo(\.car)?$/);
const TABLES = ['blocks', 'commits', 'meta', 'refs'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pdsdb-exports-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Returns the JSON values of a command that must succeed without output on standard error. */
const json = async (...args: readonly string[]): Promise<Record<string, unknown>[]> => {
  const { stdout, ...rest } = await pdsdb([...args, '--json']);
  expect(rest).toEqual({ code: 0, stderr: '' });
  return jsonLines(stdout) as Record<string, unknown>[];
};

/** Returns SQLite's own integrity check of a repository's database. */
const askSqlite = (repo: string): unknown => {
  const ask = (sql: string): string[] => sqlite3(join(repo, 'pds.db'), sql);
  return {
    check: ask('pragma integrity_check'),
    tables: ask("select name from sqlite_schema where type = 'table' order by name"),
    blocks: Number(ask('select count(*) from blocks')[0]),
  };
};

describe('exports of real accounts', () => {
  test.each(EXPORTS)(
    '%s is read by every verb that reads, and exported unchanged',
    { timeout: 120_000 },
    async (name) => {
      const [repo, again, car] = ['', '-again', '.car'].map((suffix) => join(folder, `${name}${suffix}`)) as [
        string,
        string,
        string,
      ];
      const [imported] = await json('import', repo, vectorPath(`repos/${name}`), '--allow-unsigned');
      expect(imported).toMatchObject({ updated: 0, deleted: 0, unchanged: 0 });
      expect(imported).not.toHaveProperty('faults');
      const { head, created } = imported!;
      const [info] = await json('info', repo);
      expect(info).toMatchObject({
        head,
        rev: imported!['rev'],
        records: created,
        blocks: imported!['blocks'],
        commits: 1,
      });
      const listed = await json('ls', repo);
      expect(listed).toHaveLength(created as number);
      expect(await json('verify', repo)).toEqual([
        {
          ok: true,
          faultCount: 0,
          faults: [],
          signature: expect.stringMatching(/^(none|unchecked)$/),
          records: created,
          blocks: expect.any(Number),
          blobs: 0,
        },
      ]);
      expect(await json('export', repo, '-o', car)).toEqual([
        { head, rev: info!['rev'], bytes: (await stat(car)).size, file: car },
      ]);
      expect(await json('import', again, car, '--allow-unsigned')).toEqual([imported]);
      expect(await json('ls', again)).toEqual(listed);
      expect((await readdir(repo)).sort()).toEqual(['blobs', 'pds.db']);
    },
  );

  test.skipIf(!hasSqlite3).each(EXPORTS)(
    '%s is a database that SQLite reads, with four tables (skipped without the sqlite3 command)',
    async (name) => {
      const repo = join(folder, `${name}-read`);
      const [imported] = await json('import', repo, vectorPath(`repos/${name}`), '--allow-unsigned');
      expect(askSqlite(repo)).toEqual({ check: ['ok'], tables: TABLES, blocks: imported!['blocks'] });
    },
  );
});
