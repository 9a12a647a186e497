/**
 * Blocks with valid hashes that are not valid in a repository. Somebody who knows the format has put them into the
 * database.
 */
import { describe, expect, test } from 'vitest';
import type { CidBytes } from '../../src/core/data/cid.ts';
import { cidToText } from '../../src/core/data/cid.ts';
import { tidOf } from '../../src/core/syntax/tid.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { keysOfLayer, writeShape } from '../core/mst/raw-node.ts';
import type { Repository, RepositoryParts } from '../hostile/build-repository.ts';
import { blockOfBytes, posts, repositoryOf } from '../hostile/build-repository.ts';
import type { Sample } from './damaged-repo.ts';
import { makeSample, open, sql, verify, withSql } from './damaged-repo.ts';

const root = scratchFolder('forged');

/** Adds a commit and its blocks, as the newest commit or as the oldest. */
const forge = async ({ folder }: Sample, age: 'newest' | 'oldest', parts: RepositoryParts): Promise<Repository> => {
  const rev = tidOf(age === 'newest' ? (Date.now() + 1000) * 1000 : 1_600_000_000_000_000, 0);
  const repository = await repositoryOf({ ...parts, fields: { rev, ...parts.fields } });
  await withSql(folder, (database) => {
    for (const { cid, bytes } of repository.blocks) {
      database.prepare(`insert or ignore into blocks values ('${cidToText(cid)}', ?)`).run(bytes);
    }
    const cid = `cast('${cidToText(repository.commit.cid)}' as blob)`;
    database.exec(`insert into commits values ('${rev}', ${cid})`);
    if (age === 'newest') {
      database.exec(`update refs set value = ${cid} where key = 'main'`);
    }
  });
  return repository;
};

const [high, first, last] = [
  keysOfLayer(1, 1, 'com.example.b/')[0]!,
  keysOfLayer(0, 1, 'com.example.a/')[0]!,
  keysOfLayer(0, 1, 'com.example.c/')[0]!,
];
const value = posts(1)[0]![1].cid.bytes as CidBytes;

const TREES: Readonly<Record<string, NonNullable<RepositoryParts['tree']>>> = {
  'is a record': (onNode) => {
    const [, record] = posts(1, 'of its own')[0]!;
    onNode(record);
    return record.cid.bytes as CidBytes;
  },
  'is a node with bytes after it': (onNode) => {
    const block = blockOfBytes(Uint8Array.of(0xa2, 0x61, 0x65, 0x80, 0x61, 0x6c, 0xf6, 0));
    onNode(block);
    return block.cid.bytes as CidBytes;
  },
  'has its keys in a wrong order': (onNode) =>
    writeShape(
      {
        keys: [high],
        values: [value],
        children: [
          { keys: [last], values: [value] },
          { keys: [first], values: [value] },
        ],
      },
      onNode,
    ),
  'has a node on a wrong layer': (onNode) => writeShape({ keys: [first, high], values: [value, value] }, onNode),
};

const actions = (report: { readonly steps: readonly { readonly action: string }[] }): string[] =>
  report.steps.map(({ action }) => action);

describe.each(Object.entries(TREES))('a tree that %s', (_, tree) => {
  test('of the head: a repair goes back to the newest commit whose tree is one', async () => {
    const sample = await makeSample(root);
    await forge(sample, 'newest', { tree, records: posts(1) });
    expect(await verify(sample.folder)).toMatchObject({ ok: false });
    const report = await open(sample.folder, (repo) => repo.repair());
    expect(actions(report)).toEqual(['moveHead', 'dropCommit']);
    expect(report).toMatchObject({ whole: true, rev: sample.commits[2]!.rev });
    expect(await verify(sample.folder)).toMatchObject({ ok: true });
  });

  test('of the head, where no other commit is left: the head stays and is not called whole', async () => {
    const sample = await makeSample(root);
    const { commit } = await forge(sample, 'newest', { tree, records: posts(1) });
    await sql(sample.folder, ...sample.commits.map(({ cid }) => `delete from blocks where key = '${String(cid)}'`));
    const report = await open(sample.folder, (repo) => repo.repair());
    expect(report).toMatchObject({ whole: false, head: commit.cid });
    expect(report.lost.map(({ kind }) => kind)).toContain('block');
  });
});

test.each(['is a record', 'is a node with bytes after it'])(
  'a history with a tree that %s is reported, and hides no other fault',
  async (name) => {
    const sample = await makeSample(root);
    await forge(sample, 'oldest', { tree: TREES[name]!, records: posts(1) });
    await sql(sample.folder, `delete from blocks where key = '${String(sample.record)}'`);
    const { faults } = await verify(sample.folder);
    expect(faults.map(({ code }) => code).sort()).toEqual(['BlockNotFound', 'Corrupt']);
    expect(faults.find(({ code }) => code === 'Corrupt')!.message).toMatch(/not a tree node/);
    const report = await open(sample.folder, (repo) => repo.repair());
    expect(report).toMatchObject({ whole: false, rev: sample.commits[2]!.rev, lost: [{ kind: 'record' }] });
  },
);

test('without a commit, no repository is whole', async () => {
  const sample = await makeSample(root);
  await sql(sample.folder, ...sample.commits.map(({ cid }) => `delete from blocks where key = '${String(cid)}'`));
  const report = await open(sample.folder, (repo) => repo.repair());
  expect(report).toMatchObject({
    whole: false,
    head: undefined,
    lost: [{ kind: 'block', cid: sample.commits[2]!.cid }],
  });
  expect(await open(sample.folder, (repo) => repo.repair())).toMatchObject({
    whole: false,
    head: undefined,
    steps: [],
    lost: [],
  });
});
