/** `verify` or the error of `openRepo` reports every kind of damage to a folder. */
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scratchFolder } from '../adapters/scratch.ts';
import type { Sample } from './damaged-repo.ts';
import { changeFile, flipBlock, makeSample, namesOf, sql, verify } from './damaged-repo.ts';

const root = scratchFolder('damage');

/** The damage to a folder, and the expected faults. `$` stands for a text of the sample. */
interface Damage {
  readonly name: string;
  do(sample: Sample): Promise<void> | void;
  says(sample: Sample): readonly RegExp[];
}

const block = (cid: unknown): string => `key = '${String(cid)}'`;
const re = (...parts: readonly unknown[]): RegExp => new RegExp(parts.map(String).join('.*'));

const ROWS: readonly Damage[] = [
  {
    name: 'a record with a flipped bit',
    do: (s) => flipBlock(s.folder, s.record),
    says: (s) => [re('Corrupt', s.record)],
  },
  {
    name: 'a node with a flipped bit',
    do: (s) => flipBlock(s.folder, s.commits[2]!.data),
    says: (s) => [re('Corrupt', s.commits[2]!.data)],
  },
  {
    name: 'a commit with a flipped bit',
    do: (s) => flipBlock(s.folder, s.commits[2]!.cid),
    says: (s) => [re('Corrupt', s.commits[2]!.cid)],
  },
  {
    name: 'an old commit with a flipped bit',
    do: (s) => flipBlock(s.folder, s.commits[0]!.cid),
    says: (s) => [re('Corrupt', s.commits[0]!.cid)],
  },
  {
    name: 'a truncated record',
    do: (s) => sql(s.folder, `update blocks set value = substr(value, 1, 10) where ${block(s.record)}`),
    says: (s) => [re('Corrupt', s.record)],
  },
  {
    name: 'an empty record',
    do: (s) => sql(s.folder, `update blocks set value = x'' where ${block(s.record)}`),
    says: (s) => [re('Corrupt', s.record)],
  },
  {
    name: 'a record, a node and a commit that are texts',
    do: (s) =>
      sql(
        s.folder,
        ...[s.record, s.commits[2]!.data, s.commits[1]!.cid].map(
          (cid) => `update blocks set value = 'text' where ${block(cid)}`,
        ),
      ),
    says: (s) => [re('Corrupt', s.record), re('Corrupt', s.commits[2]!.data), re('Corrupt', s.commits[1]!.cid)],
  },
  {
    name: 'the head as a text',
    do: (s) => sql(s.folder, `update blocks set value = 'text' where ${block(s.commits[2]!.cid)}`),
    says: (s) => [re('Corrupt', s.commits[2]!.cid)],
  },
  {
    name: 'a missing record',
    do: (s) => sql(s.folder, `delete from blocks where ${block(s.record)}`),
    says: (s) => [re('BlockNotFound', s.recordPath, s.record)],
  },
  {
    name: 'a missing node',
    do: (s) => sql(s.folder, `delete from blocks where ${block(s.commits[2]!.data)}`),
    says: (s) => [re('BlockNotFound', s.commits[2]!.data)],
  },
  {
    name: 'a missing head',
    do: (s) => sql(s.folder, `delete from blocks where ${block(s.commits[2]!.cid)}`),
    says: (s) => [re('BlockNotFound', 'main', s.commits[2]!.cid)],
  },
  {
    name: 'two records that have changed places',
    do: (s) =>
      sql(
        s.folder,
        `update blocks set key = 'x' where ${block(s.record)}`,
        `update blocks set ${block(s.record)} where ${block(s.lastRecord)}`,
        `update blocks set ${block(s.lastRecord)} where key = 'x'`,
      ),
    says: (s) => [re('Corrupt', s.record), re('Corrupt', s.lastRecord)],
  },
  {
    name: 'invalid rows of blocks',
    do: (s) =>
      sql(
        s.folder,
        `insert into blocks values ('nonsense', x'00'), (null, x'01'), (x'ff', x'02'), (upper('${String(s.record)}'), x'03')`,
      ),
    says: () => [
      re('Corrupt', 'table=blocks', 'key=nonsense'),
      re('table=blocks', 'key=.not a text'),
      re('table=blocks', 'key=BAFY'),
    ],
  },
  {
    name: 'a ref that is no CID',
    do: (s) => sql(s.folder, `update refs set value = x'00' where key = 'first'`),
    says: () => [re('Corrupt', 'table=refs', 'key=first')],
  },
  {
    name: 'a head that is not a CID',
    do: (s) => sql(s.folder, `update refs set value = x'00' where key = 'main'`),
    says: () => [re('Corrupt', 'table=refs', 'key=main')],
  },
  {
    name: 'an invalid list of commits',
    do: (s) => sql(s.folder, `insert into commits values ('yesterday', x'00')`),
    says: () => [re('Corrupt', 'table=commits', 'key=yesterday')],
  },
  {
    name: 'a meta value that is not a text',
    do: (s) => sql(s.folder, `insert into meta values ('message:x', x'ff')`),
    says: () => [re('Corrupt', 'table=meta', 'key=message:x')],
  },
  {
    name: 'a commit by another rev',
    do: (s) => sql(s.folder, `update commits set key = '3jzfcijpj2z2a' where key = '${s.commits[0]!.rev}'`),
    says: (s) => [re('Corrupt', 'another rev', '3jzfcijpj2z2a'), re(s.commits[0]!.rev)],
  },
  {
    name: 'refs that have changed places',
    do: (s) =>
      sql(
        s.folder,
        `update refs set value = case key when 'main' then cast('${String(s.commits[0]!.cid)}' as blob) else cast('${String(s.commits[2]!.cid)}' as blob) end`,
      ),
    says: () => [re('Corrupt', 'main', 'not the newest commit')],
  },
  { name: 'no refs', do: (s) => sql(s.folder, 'delete from refs'), says: () => [re('Corrupt', 'main', 'no head')] },
  {
    name: 'no refs and no commits',
    do: (s) => sql(s.folder, 'delete from refs', 'delete from commits'),
    says: () => [re('Corrupt', 'main', 'no head')],
  },
  { name: 'no blocks', do: (s) => sql(s.folder, 'delete from blocks'), says: () => [re('BlockNotFound', 'main')] },
  { name: 'no meta', do: (s) => sql(s.folder, 'delete from meta'), says: () => [re('Corrupt .open', 'version')] },
  {
    name: 'no account',
    do: (s) => sql(s.folder, `delete from meta where key = 'did'`),
    says: () => [re('Corrupt .open', 'did')],
  },
  {
    name: 'another account',
    do: (s) => sql(s.folder, `update meta set value = cast('did:web:other.example.com' as blob) where key = 'did'`),
    says: () => [re('WrongDid', 'main')],
  },
  {
    name: 'an invalid version',
    do: (s) => sql(s.folder, `update meta set value = x'' where key = 'version'`),
    says: () => [re('Corrupt .open')],
  },
  {
    name: 'a version of the future',
    do: (s) => sql(s.folder, `update meta set value = cast('2' as blob) where key = 'version'`),
    says: () => [re('UnknownVersion .open')],
  },
  {
    name: 'a trigger',
    do: (s) => sql(s.folder, 'create trigger t after insert on blocks begin delete from refs; end'),
    says: () => [re('Corrupt .open', 'trigger=t')],
  },
  {
    name: 'an index',
    do: (s) => sql(s.folder, 'create index i on blocks (value)'),
    says: () => [re('Corrupt .open', 'index=i')],
  },
  { name: 'a table too few', do: (s) => sql(s.folder, 'drop table refs'), says: () => [re('Corrupt .open', 'refs')] },
];

const FILES: readonly Damage[] = [
  { name: 'no pds.db', do: (s) => rmSync(s.database), says: () => [re('RepoNotFound .open')] },
  { name: 'an empty pds.db', do: (s) => truncateSync(s.database, 0), says: () => [re('RepoNotFound .open')] },
  {
    name: 'a pds.db of one byte',
    do: (s) => truncateSync(s.database, 1),
    says: () => [re('(Corrupt|RepoNotFound) .open')],
  },
  {
    name: 'a pds.db of zeros',
    do: (s) => changeFile(s.database, (bytes) => void bytes.fill(0)),
    says: () => [re('Corrupt .open')],
  },
  {
    name: 'a text',
    do: (s) => writeFileSync(s.database, 'this is no database, and long enough to be one\n'.repeat(1000)),
    says: () => [re('Corrupt .open')],
  },
  {
    name: 'half a pds.db',
    do: (s) => changeFile(s.database, (bytes) => bytes.subarray(0, bytes.length >> 1)),
    says: () => [re('Corrupt')],
  },
  {
    name: 'a symbolic link in place of pds.db',
    do: (s) => (renameSync(s.database, `${s.database}.real`), symlinkSync(`${s.database}.real`, s.database)),
    says: () => [re('StorageFailed .open', 'not a regular file')],
  },
  {
    name: 'a blob with a flipped bit',
    do: (s) => changeFile(s.blobFile, (bytes) => void (bytes[99]! ^= 1)),
    says: (s) => [re('Corrupt', s.blob)],
  },
  { name: 'a blob that is cut', do: (s) => truncateSync(s.blobFile, 100), says: (s) => [re('Corrupt', s.blob)] },
  { name: 'an empty blob', do: (s) => truncateSync(s.blobFile, 0), says: (s) => [re('Corrupt', s.blob)] },
  {
    name: 'a blob of zeros',
    do: (s) => changeFile(s.blobFile, (bytes) => void bytes.fill(0)),
    says: (s) => [re('Corrupt', s.blob)],
  },
  {
    name: 'two blobs that have changed places',
    do(s) {
      const one = readFileSync(s.blobFile);
      writeFileSync(s.blobFile, readFileSync(s.otherBlobFile));
      writeFileSync(s.otherBlobFile, one);
    },
    says: (s) => [re('Corrupt', s.blob), re('Corrupt', s.otherBlobFile.split('/').at(-1))],
  },
  {
    name: 'a symbolic link in place of a blob',
    do: (s) => (renameSync(s.blobFile, join(s.folder, 'real')), symlinkSync(join(s.folder, 'real'), s.blobFile)),
    says: (s) => [re('Corrupt', 'not a regular file', s.blob)],
  },
  {
    name: 'a folder in place of a blob',
    do: (s) => (rmSync(s.blobFile), mkdirSync(s.blobFile)),
    says: (s) => [re('Corrupt', 'not a regular file', s.blob)],
  },
];

describe.each([
  ['rows', ROWS],
  ['files', FILES],
] as const)('damage to %s is named', (_, damages) => {
  for (const damage of damages) {
    test(damage.name, async () => {
      const sample = await makeSample(root);
      await damage.do(sample);
      const names = (await namesOf(sample.folder)).join('\n');
      for (const pattern of damage.says(sample)) {
        expect(names).toMatch(pattern);
      }
    });
  }
});

test('an undamaged repository with foreign files beside it passes', async () => {
  const { folder } = await makeSample(root);
  for (const name of ['.DS_Store', 'blobs/Thumbs.db', 'blobs/ba/.DS_Store', 'blobs/ba/notes.txt']) {
    writeFileSync(join(folder, name), 'something');
  }
  expect(await verify(folder)).toMatchObject({ ok: true, faults: [], blobs: 2 });
});

test('each fault is reported once', async () => {
  const sample = await makeSample(root);
  await flipBlock(sample.folder, sample.record);
  expect(await namesOf(sample.folder)).toHaveLength(1);
});
