/** Folders of repositories that a disk, another program or a person has changed. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openNodeFiles } from '../../src/adapters/files/node-files.ts';
import type { CID } from '../../src/core/data/cid.ts';
import { CODEC_DAG_CBOR, CODEC_RAW, cidOf, cidToText } from '../../src/core/data/cid.ts';
import type { RepoErrorCode } from '../../src/core/errors.ts';
import { encodeCbor } from '../../src/core/data/cbor-encode.ts';
import { createRepo } from '../../src/node.ts';
import { DID, KEY, creates, post, rkeyOf } from '../../src/testing/repo/harness.ts';
import { openDatabase } from '../adapters/sqlite/open-database.ts';

export const BLOB: Uint8Array = /* @__PURE__ */ new TextEncoder().encode(
  'a blob of some length, so that it can be cut',
);
export const BLOB_CID: CID = /* @__PURE__ */ cidOf(CODEC_RAW, BLOB);
/** The record and the blob that each case reads. */
export const RKEY: string = /* @__PURE__ */ rkeyOf(1);
const RECORD = cidToText(cidOf(CODEC_DAG_CBOR, encodeCbor(post('post 1'))));
const blobPath = `blobs/ba/${cidToText(BLOB_CID)}`;

/** Makes the folder. Each case damages a copy. */
export const makeSound = async (folder: string): Promise<void> => {
  const repo = await createRepo(folder, { did: DID, signer: KEY });
  await repo.putBlob(BLOB, { mimeType: 'text/plain' });
  await repo.write(creates(5));
  await repo.close();
};

export interface FolderCase {
  readonly name: string;
  readonly damage: (folder: string) => Promise<void> | void;
  /** The code of a refused opening. Absent if the folder opens. */
  readonly open?: RepoErrorCode | undefined;
  /** The result of reading the record and the blob: a code, `right`, or `nothing`. Default: `right`. */
  readonly record?: RepoErrorCode | 'nothing' | undefined;
  readonly blob?: RepoErrorCode | 'nothing' | undefined;
  /** Whether `verify` finds no fault. */
  readonly sound?: true | undefined;
}

export interface FolderClass {
  readonly name: string;
  readonly cases: readonly FolderCase[];
}

const file =
  (path: string, change: (bytes: Buffer) => Uint8Array) =>
  (folder: string): void => {
    const whole = join(folder, path);
    writeFileSync(whole, change(readFileSync(whole)));
  };
const main = (change: (bytes: Buffer) => Uint8Array) => file('pds.db', change);
const byteAt = (at: number, value: number) => main((bytes) => (bytes.writeUInt8(value, at), bytes));

const sql =
  (...statements: readonly string[]) =>
  async (folder: string): Promise<void> => {
    const files = await openNodeFiles(folder);
    const database = await openDatabase(files);
    try {
      for (const statement of statements) {
        database.exec(statement);
      }
    } finally {
      database.close();
      await files.close();
    }
  };

/** Replaces the database by one of another program. */
const foreign =
  (...statements: readonly string[]) =>
  async (folder: string): Promise<void> => {
    writeFileSync(join(folder, 'pds.db'), '');
    const other = join(folder, 'other');
    mkdirSync(other);
    const files = await openNodeFiles(other, { create: true });
    const database = await openDatabase(files);
    statements.forEach((statement) => database.exec(statement));
    database.close();
    await files.close();
    renameSync(join(other, 'pds.db'), join(folder, 'pds.db'));
    rmSync(other, { recursive: true });
  };

const replaced =
  (path: string, by: (whole: string, elsewhere: string) => void) =>
  (folder: string): void => {
    const elsewhere = join(folder, 'elsewhere');
    renameSync(join(folder, path), elsewhere);
    by(join(folder, path), elsewhere);
  };
const byLink = (path: string) => replaced(path, (whole, elsewhere) => symlinkSync(elsewhere, whole));
const byFifo = (path: string) => replaced(path, (whole) => void execFileSync('mkfifo', [whole]));
const byFolder = (path: string) => replaced(path, (whole) => void mkdirSync(whole));

const notOurs: readonly FolderCase[] = [
  { name: 'no pds.db', damage: (folder) => rmSync(join(folder, 'pds.db')), open: 'RepoNotFound' },
  { name: 'an empty pds.db', damage: main(() => new Uint8Array()), open: 'RepoNotFound' },
  { name: 'one byte', damage: main((bytes) => bytes.subarray(0, 1)), open: 'Corrupt' },
  { name: 'zeros', damage: main((bytes) => bytes.fill(0)), open: 'Corrupt' },
  {
    name: 'a text',
    damage: main(() => new TextEncoder().encode('This is not a database.\n'.repeat(400))),
    open: 'Corrupt',
  },
  {
    name: 'cut inside its first page',
    damage: (folder) => truncateSync(join(folder, 'pds.db'), 1000),
    open: 'Corrupt',
  },
  {
    name: 'another format in its header',
    damage: main((bytes) => (bytes.write('SQLite format 4'), bytes)),
    open: 'Corrupt',
  },
  { name: 'an invalid page size', damage: byteAt(16, 3), open: 'Corrupt' },
  { name: 'a read version above 2', damage: byteAt(19, 99), open: 'Corrupt' },
  { name: 'a database without tables', damage: foreign('create table x (y)', 'drop table x'), open: 'RepoNotFound' },
  { name: 'a database of another program', damage: foreign('create table notes (text)'), open: 'Corrupt' },
  {
    name: 'texts in UTF-16',
    damage: foreign(`pragma encoding = 'UTF-16'`, 'create table meta (key TEXT PRIMARY KEY, value BLOB NOT NULL)'),
    open: 'Corrupt',
  },
  {
    name: 'a newer version',
    damage: sql(`update meta set value = cast('2' as blob) where key = 'version'`),
    open: 'UnknownVersion',
  },
  {
    name: 'an invalid version',
    damage: sql(`update meta set value = x'ff' where key = 'version'`),
    open: 'Corrupt',
  },
  { name: 'no version', damage: sql(`delete from meta where key = 'version'`), open: 'Corrupt' },
  {
    name: 'an invalid DID',
    damage: sql(`update meta set value = cast('../../etc' as blob) where key = 'did'`),
    open: 'Corrupt',
  },
  { name: 'no DID', damage: sql(`delete from meta where key = 'did'`), open: 'Corrupt' },
  { name: 'a missing table', damage: sql('drop table blocks'), open: 'Corrupt' },
  {
    name: 'a trigger',
    damage: sql('create trigger t after insert on blocks begin delete from refs; end'),
    open: 'Corrupt',
  },
  { name: 'an index', damage: sql('create index i on blocks (value)'), open: 'Corrupt' },
  { name: 'an additional column', damage: sql('alter table refs add column note'), open: 'Corrupt' },
  {
    name: 'a generated column',
    damage: sql(`alter table refs add column g text generated always as (upper(key)) virtual`),
    open: 'Corrupt',
  },
  {
    name: 'a view in place of a table',
    damage: sql('alter table refs rename to r', 'create view refs as select * from r'),
    open: 'Corrupt',
  },
  {
    name: 'a key with the collation NOCASE',
    damage: sql('drop table refs', 'create table refs (key TEXT PRIMARY KEY COLLATE NOCASE, value BLOB NOT NULL)'),
    open: 'Corrupt',
  },
  ...(['pds.db'] as const).flatMap((path): FolderCase[] => [
    { name: `${path} is a symbolic link`, damage: byLink(path), open: 'StorageFailed' },
    { name: `${path} is a FIFO`, damage: byFifo(path), open: 'StorageFailed' },
    { name: `${path} is a folder`, damage: byFolder(path), open: 'StorageFailed' },
  ]),
  { name: 'blobs/ is a symbolic link', damage: byLink('blobs'), open: 'StorageFailed' },
  { name: 'blobs/ is a file', damage: replaced('blobs', (whole) => writeFileSync(whole, '')), open: 'StorageFailed' },
];

const rowOf = (key: string): string => `key = '${key}'`;
const content: readonly FolderCase[] = [
  {
    name: 'a record with other bytes',
    damage: sql(`update blocks set value = x'a0' where ${rowOf(RECORD)}`),
    record: 'Corrupt',
  },
  {
    name: 'a truncated record',
    damage: sql(`update blocks set value = substr(value, 1, 9) where ${rowOf(RECORD)}`),
    record: 'Corrupt',
  },
  {
    name: 'a record without bytes',
    damage: sql(`update blocks set value = x'' where ${rowOf(RECORD)}`),
    record: 'Corrupt',
  },
  {
    name: 'a record as text',
    damage: sql(`update blocks set value = cast(value as text) where ${rowOf(RECORD)}`),
    record: 'Corrupt',
  },
  {
    name: 'a record as a number',
    damage: sql(`update blocks set value = 1 where ${rowOf(RECORD)}`),
    record: 'Corrupt',
  },
  { name: 'a missing record', damage: sql(`delete from blocks where ${rowOf(RECORD)}`), record: 'BlockNotFound' },
  {
    name: 'a record in the row of another record',
    damage: sql(
      `update blocks set value = (select value from blocks b where b.key <> blocks.key limit 1) where ${rowOf(RECORD)}`,
    ),
    record: 'Corrupt',
  },
  {
    name: 'a record with its key in upper case',
    damage: sql(`update blocks set key = upper(key) where ${rowOf(RECORD)}`),
    record: 'BlockNotFound',
  },
  { name: 'no blocks', damage: sql('delete from blocks'), record: 'BlockNotFound' },
  {
    name: 'all blocks with equal bytes',
    damage: sql('update blocks set value = (select value from blocks limit 1)'),
    record: 'Corrupt',
  },
  { name: 'a head that is not a CID', damage: sql(`update refs set value = cast('x' as blob)`), record: 'Corrupt' },
  {
    name: 'a missing head',
    damage: sql(`update refs set value = cast('${cidToText(cidOf(CODEC_DAG_CBOR, BLOB))}' as blob)`),
    record: 'BlockNotFound',
  },
  {
    name: 'a head that is a record',
    damage: sql(`update refs set value = cast('${RECORD}' as blob)`),
    record: 'Malformed',
  },
  { name: 'no head', damage: sql('delete from refs'), record: 'nothing' },
  {
    name: 'another account',
    damage: sql(`update meta set value = cast('did:web:other.example.com' as blob) where key = 'did'`),
  },
];

const blobs: readonly FolderCase[] = [
  {
    name: 'a flipped bit',
    damage: file(blobPath, (bytes) => (bytes.writeUInt8(bytes[5]! ^ 1, 5), bytes)),
    blob: 'Corrupt',
  },
  { name: 'cut', damage: file(blobPath, (bytes) => bytes.subarray(0, 9)), blob: 'Corrupt' },
  { name: 'longer', damage: file(blobPath, (bytes) => Buffer.concat([bytes, bytes])), blob: 'Corrupt' },
  { name: 'empty', damage: file(blobPath, () => new Uint8Array()), blob: 'Corrupt' },
  { name: 'zeros', damage: file(blobPath, (bytes) => bytes.fill(0)), blob: 'Corrupt' },
  { name: 'a symbolic link', damage: byLink(blobPath), blob: 'StorageFailed' },
  { name: 'a folder', damage: byFolder(blobPath), blob: 'StorageFailed' },
  { name: 'a FIFO', damage: byFifo(blobPath), blob: 'StorageFailed' },
  // `missingBlobs` reports it, if a record mentions the blob.
  { name: 'gone', damage: (folder) => rmSync(join(folder, blobPath)), blob: 'nothing', sound: true },
];

const left =
  (path: string, bytes: string | Uint8Array = 'left here') =>
  (folder: string): void =>
    writeFileSync(join(folder, path), bytes);
const invalidEntries: readonly FolderCase[] = [
  { name: '.DS_Store', damage: left('blobs/.DS_Store'), sound: true },
  { name: 'Thumbs.db', damage: left('blobs/ba/Thumbs.db'), sound: true },
  { name: 'the temporary file of an interrupted write', damage: left(`blobs/${'0'.repeat(32)}.tmp-put`), sound: true },
  { name: 'a CID in upper case as a name', damage: left(`blobs/ba/${cidToText(BLOB_CID).toUpperCase()}`), sound: true },
  { name: 'a journal with garbage', damage: left('pds.db-journal', 'garbage'.repeat(1000)), sound: true },
  { name: 'a WAL with garbage', damage: left('pds.db-wal', 'garbage'.repeat(1000)), sound: true },
  { name: 'an additional table', damage: sql('create table notes (text)'), sound: true },
  { name: 'a view', damage: sql('create view v as select * from blocks'), sound: true },
  { name: 'a folder of another program', damage: (folder) => void mkdirSync(join(folder, 'notes')), sound: true },
];

export const folderClasses: readonly FolderClass[] = [
  { name: 'Files that are not a pdsdb repository', cases: notOurs },
  { name: 'Rows that were changed', cases: content },
  { name: 'Blobs that were changed', cases: blobs },
  { name: 'Other files in the folder', cases: invalidEntries },
];
