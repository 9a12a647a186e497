/** `copyRepo` and the verb `copy` between a folder and PostgreSQL. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { copyRepo } from '../../src/core/repo/transfer/copy/copy-repo.ts';
import { MemoryBlobStore } from '../../src/core/storage/memory-blob-store.ts';
import type { BlobInfo } from '../../src/core/storage/ports.ts';
import { createRepo, openRepo } from '../../src/node.ts';
import type { PostgresRepos } from '../../src/postgres.ts';
import { openPostgres } from '../../src/postgres.ts';
import { KEY, POST, post } from '../../src/testing/repo/harness.ts';
import { jsonLines, pdsdb } from '../cli/run-command.ts';
import { fillRepo } from '../random/fill-repo.ts';
import { contentOf } from '../random/repo-content.ts';
import { connectPg, newDid, newSchema } from './connect.ts';
import { lacksPostgres, why } from './postgres-test.ts';

describe.skipIf(lacksPostgres)(`a copy between a folder and PostgreSQL${why}`, () => {
  let folder: string;
  let accounts: PostgresRepos;
  const schema = newSchema();
  const at = (name: string): string => join(folder, name);
  /** A database of its own for the command, which uses the default schema, as another file of this folder does. */
  let database: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pdsdb-postgres-copy-'));
    accounts = await openPostgres(inject('postgresUrl'), { schema });
    await accounts.migrate();
    const client = connectPg(inject('postgresUrl'));
    const name = newSchema();
    await client.query(`create database ${name}`);
    await client.close();
    database = Object.assign(new URL(inject('postgresUrl')), { pathname: `/${name}` }).href;
  });
  afterAll(async () => {
    await accounts.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each([1, 2, 3])('and back is equal, seed %i', async (seed) => {
    const did = newDid();
    await using from = await createRepo(at(`from-${seed}`), { did, signer: KEY });
    await fillRepo(from, seed);
    await using stored = await accounts.createRepo({ did, signer: KEY });
    await using back = await createRepo(at(`back-${seed}`), { did, signer: KEY });
    const result = await copyRepo(from, stored);
    const content = await contentOf(from);
    expect(await contentOf(stored)).toEqual(content);
    expect(await copyRepo(stored, back)).toEqual(result);
    expect(await contentOf(back)).toEqual(content);
    for (const repo of [stored, back]) {
      expect(await repo.verify({ key: KEY.did() })).toMatchObject({ ok: true, faults: [] });
      await repo.put(POST, 'later', post('later'));
    }
  });

  test('between two schemas of one database; an abort leaves an empty repository', async () => {
    const did = newDid();
    await using from = await accounts.createRepo({ did, signer: KEY });
    await fillRepo(from, 4);
    await using others = await openPostgres(inject('postgresUrl'), { schema: newSchema(), readers: 1, writers: 1 });
    await others.migrate();
    await using to = await others.createRepo({ did });
    for (const at of [1, 5, 12]) {
      const abort = new AbortController();
      let calls = 0;
      const onProgress = (): void => void (++calls === at && abort.abort(new Error('enough')));
      await expect(copyRepo(from, to, { signal: abort.signal, onProgress })).rejects.toThrow('enough');
      expect(await to.info()).toMatchObject({ head: undefined, blocks: 0, commits: 0 });
    }
    await copyRepo(from, to);
    expect(await contentOf(to)).toEqual(await contentOf(from));
  });

  test('rejects with Locked if another process removes blocks of the source meanwhile', async () => {
    const did = newDid();
    await using source = await accounts.createRepo({ did, signer: KEY });
    for (let i = 0; i < 5; i++) {
      await source.put(POST, 'same', post(`text ${i}`));
    }
    await using beside = await openPostgres(inject('postgresUrl'), { schema });
    await using sweeper = await beside.openRepo(did);
    // The blobs of the target are listed after the state of the source was read.
    class Sweeping extends MemoryBlobStore {
      override async *list(): AsyncGenerator<BlobInfo> {
        await sweeper.gc({ keep: 1, commitAge: 0 });
        yield* super.list();
      }
    }
    await using others = await openPostgres(inject('postgresUrl'), {
      schema: newSchema(),
      blobs: () => new Sweeping(),
    });
    await others.migrate();
    await using to = await others.createRepo({ did });
    await expect(copyRepo(source, to)).rejects.toMatchObject({ code: 'Locked' });
    expect((await to.info()).commits).toBe(0);
    // Nothing is left to remove.
    expect(await copyRepo(source, to)).toMatchObject({ commits: 1, records: 1 });
  });

  test('by the command, with --migrate for a database without tables', async () => {
    const did = newDid();
    const url = database;
    {
      await using repo = await createRepo(at('alice'), { did, signer: KEY });
      await fillRepo(repo, 5);
    }
    const copied = await pdsdb(['copy', at('alice'), url, '--migrate', '--json']);
    expect(copied).toMatchObject({ code: 0, stderr: '' });
    expect(jsonLines(copied.stdout)[0]).toMatchObject({ did });
    expect(await pdsdb(['copy', at('alice'), `${url}#${did}`])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not empty') as string,
    });
    expect(await pdsdb(['copy', `${url}#${did}`, at('again')])).toMatchObject({ code: 0, stderr: '' });
    await using alice = await openRepo(at('alice'), { readOnly: true });
    await using again = await openRepo(at('again'), { readOnly: true });
    expect(await contentOf(again)).toEqual(await contentOf(alice));
    expect(await pdsdb(['copy', `${url}#${newDid()}`, at('none')])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no repository here') as string,
    });
  });

  test('the verbs of the command open a repository in the database', async () => {
    const did = newDid();
    const url = `${database}#${did}`;
    const json = async (...args: readonly string[]): Promise<unknown[]> => {
      const { code, stdout, stderr } = await pdsdb([...args, '--json']);
      expect([code, stderr], args.join(' ')).toEqual([0, '']);
      return jsonLines(stdout);
    };
    const path = `${POST}/one`;
    await json('init', at('empty'), '--did', did);
    await json('copy', at('empty'), url, '--migrate');
    expect(await json('put', url, path, JSON.stringify(post('one')), '-m', 'first')).toHaveLength(1);
    const [info] = (await json('info', url)) as [{ rev: string }];
    expect(info).toMatchObject({ did, records: 1, commits: 1 });
    expect(await json('ls', url, POST)).toMatchObject([{ path }]);
    expect(await json('get', url, path)).toMatchObject([{ value: post('one') }]);
    expect(await json('log', url)).toMatchObject([{ rev: info.rev, message: 'first' }]);
    expect(await json('verify', url)).toMatchObject([{ ok: true, records: 1 }]);
    expect(await json('export', url, '-o', at('one.car'))).toMatchObject([{ rev: info.rev }]);
    expect(await json('ls', at('one.car'))).toHaveLength(1);
    expect(await json('refs', 'ls', url)).toMatchObject([{ name: 'main' }]);
    await json('gc', url);
    await json('rm', url, path);
    expect(await json('ls', url)).toEqual([]);
    const refused = [
      ['init', url, '--did', did],
      ['import', url, at('one.car')],
      ['clone', did, url],
      ['backup', url, at('backup')],
      ['backup', at('empty'), url],
      ['restore', at('backup'), url],
      ['repair', url],
      ['unpack', at('empty'), url],
      ['push', url],
    ];
    for (const args of refused) {
      const { code, stderr } = await pdsdb(args);
      expect([code, stderr], args.join(' ')).toEqual([
        1,
        expect.stringMatching(/needs a folder|no files to back up|Give --session/) as string,
      ]);
    }
  });
});
