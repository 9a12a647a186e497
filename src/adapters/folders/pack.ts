/** Makes a CAR of an unpacked folder: builds the tree again from the files, and keeps or makes the commit. */
import type { NamedBlock } from '../../core/blocks/block.ts';
import { writeCarStream } from '../../core/car/writer.ts';
import type { Signer } from '../../core/crypto/signer.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import { encodeCbor } from '../../core/data/cbor-encode.ts';
import type { CID, CidBytes, CidLike } from '../../core/data/cid.ts';
import { bytesOfCid, CODEC_DAG_CBOR, CODEC_RAW, cidEquals, cidOf, cidToText, decodeCid } from '../../core/data/cid.ts';
import { createCidSet } from '../../core/data/cid-set.ts';
import { fromJson } from '../../core/data/json.ts';
import { checkRecord } from '../../core/data/record-check.ts';
import { RepoError } from '../../core/errors.ts';
import { createTreeBuilder } from '../../core/mst/build.ts';
import { walkPreorder } from '../../core/mst/preorder.ts';
import { createCommit, decodeCommit } from '../../core/repo/commit.ts';
import type { LongWork } from '../../core/repo/long-work.ts';
import { createAssertPath } from '../../core/repo/path.ts';
import type { Tid } from '../../core/syntax/tid.ts';
import { createTidClock } from '../../core/syntax/tid.ts';
import type { Place } from './place.ts';
import { io } from './place.ts';
import type { UnpackedCommit } from './unpacked-commit.ts';
import { readUnpackedCommit } from './unpacked-commit.ts';
import type { RecordFile } from './unpacked-files.ts';
import { listRecordFiles, readUnpacked } from './unpacked-files.ts';
import { COMMIT_NAME } from './unpacked-names.ts';

export interface PackOptions extends LongWork {
  /** Signs the new commit if the records differ from those of `_commit.json`. */
  readonly signer?: Signer | undefined;
  /** The account. Needed if the folder has no `_commit.json`. */
  readonly did?: string | undefined;
  /** If the records differ and there is no signer, makes an unsigned commit. */
  readonly allowUnsigned?: boolean | undefined;
}

/** The result of {@link packFrom}. */
export interface PackedFolder {
  readonly did: string;
  readonly head: CID;
  readonly rev: string;
  /** The root of the record tree. */
  readonly data: CID;
  readonly signed: boolean;
  /** Whether the commit is new, because the records differ from those of `_commit.json`. */
  readonly edited: boolean;
  readonly records: number;
  /**
   * Returns the CAR in preorder: the commit, then the tree depth first, each record after its key. Reads the files
   * again, and fails with `Malformed` if one has changed.
   */
  car(): ReadableStream<Uint8Array>;
}

/** Files that are read at the same time. */
const BATCH = 32;

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Returns the block of a record. `.cbor` and `.bin` files are kept as they are. */
const blockOf = (record: RecordFile, content: Bytes, assertPath: (path: string) => void): Bytes => {
  if (record.ending !== 'json') {
    return content;
  }
  assertPath(record.key);
  const bytes = encodeCbor(fromJson(JSON.parse(decoder.decode(content))));
  checkRecord(bytes);
  return bytes;
};

const readRecord = async (place: Place, record: RecordFile, assertPath: (path: string) => void): Promise<Bytes> => {
  const path = `${place.path}/${record.file}`;
  const content = await io(`reading ${path}`, readUnpacked(place, record.file));
  try {
    return blockOf(record, content, assertPath);
  } catch (error) {
    // Errors of JSON.parse and of the decoder, and faults of the data model.
    throw new RepoError(
      'Malformed',
      `a file is not a record: correct it, or restore it; reason=${(error as Error).message} path=${path}`,
      { cause: error },
    );
  }
};

const cidOfRecord = ({ ending }: RecordFile, bytes: Bytes): CID =>
  cidOf(ending === 'bin' ? CODEC_RAW : CODEC_DAG_CBOR, bytes);

/** The tree of the files, and where each block is. */
interface PackedTree {
  readonly data: CID;
  readonly nodes: ReadonlyMap<string, Bytes>;
  /** One file for each record, by the text of its CID. */
  readonly files: ReadonlyMap<string, RecordFile>;
}

const buildTree = async (
  place: Place,
  records: readonly RecordFile[],
  { signal, onProgress }: LongWork,
): Promise<PackedTree> => {
  const nodes = new Map<string, Bytes>();
  const files = new Map<string, RecordFile>();
  const builder = createTreeBuilder((cid, bytes) => nodes.set(cidToText(cid), bytes));
  const assertPath = createAssertPath();
  let size = 0;
  for (let done = 0; done < records.length; done += BATCH) {
    signal?.throwIfAborted();
    const batch = records.slice(done, done + BATCH);
    const blocks = await Promise.all(batch.map((record) => readRecord(place, record, assertPath)));
    for (const [i, bytes] of blocks.entries()) {
      const record = batch[i]!;
      const cid = cidOfRecord(record, bytes);
      builder.add(record.key, cid.bytes as CidBytes);
      files.set(cid.toString(), record);
      size += bytes.length;
    }
    const count = done + batch.length;
    onProgress?.({ phase: 'read', bytes: size, blocks: nodes.size + count, records: count });
  }
  return { data: decodeCid(builder.finish()), nodes, files };
};

const unsigned = (before: UnpackedCommit | undefined, data: CID): RepoError =>
  new RepoError(
    'SignerRequired',
    before === undefined
      ? `the folder has no ${COMMIT_NAME}, so a new commit is needed: sign it with the account's key, or allow an unsigned commit`
      : `the records differ from those of ${COMMIT_NAME}, so its signature is not valid for them: sign a new commit with ` +
          `the account's key, undo the edits, or allow an unsigned commit; expected=${before.commit.data.toString()} found=${data.toString()}`,
  );

/** Keeps the commit of the folder if it has the same tree. Otherwise makes a new one. */
const commitOf = async (
  place: Place,
  before: UnpackedCommit | undefined,
  data: CID,
  { signer, did = before?.commit.did, allowUnsigned }: PackOptions,
): Promise<UnpackedCommit> => {
  if (did === undefined) {
    throw new RepoError(
      'InvalidDid',
      `the folder has no ${COMMIT_NAME}: give the DID of the account, or the folder that unpack made; path=${place.path}`,
    );
  }
  if (before !== undefined && before.commit.did !== did) {
    throw new RepoError(
      'WrongDid',
      `the folder belongs to another account: remove ${COMMIT_NAME} to make a commit of this one; expected=${did} found=${before.commit.did}`,
    );
  }
  if (before !== undefined && cidEquals(before.commit.data, data)) {
    return before;
  }
  if (signer === undefined && allowUnsigned !== true) {
    throw unsigned(before, data);
  }
  const rev = createTidClock().next(before?.commit.rev as Tid | undefined);
  const { bytes, commit } = await createCommit({ did, data, rev }, signer);
  return { commit, bytes };
};

const blocksOf = async function* (
  place: Place,
  { data, nodes, files }: PackedTree,
  commit: NamedBlock,
  { signal, onProgress }: LongWork,
): AsyncGenerator<NamedBlock[]> {
  const assertPath = createAssertPath();
  const read = async (cid: CidLike): Promise<Bytes> => {
    const record = files.get(cidToText(cid))!;
    const bytes = await readRecord(place, record, assertPath);
    if (!cidEquals(cidOfRecord(record, bytes), decodeCid(bytesOfCid(cid)))) {
      throw new RepoError(
        'Malformed',
        `a file changed while it was packed: pack again; path=${place.path}/${record.file}`,
      );
    }
    return bytes;
  };
  const inMemory = async (cid: CidLike): Promise<Bytes | undefined> => nodes.get(cidToText(cid));
  const reader = { get: inMemory, getMany: (cids: readonly CidLike[]) => Promise.all(cids.map(inMemory)) };
  const written = createCidSet();
  const progress = { phase: 'write' as const, bytes: commit.bytes.length, blocks: 1, records: 0 };
  yield [commit];
  for await (const steps of walkPreorder(reader, data)) {
    const fresh = steps.filter((step) => 'bytes' in step || written.add(step.value));
    for (let done = 0; done < fresh.length; done += BATCH) {
      signal?.throwIfAborted();
      const blocks = await Promise.all(
        fresh
          .slice(done, done + BATCH)
          .map(async (step) => ('bytes' in step ? step : { cid: step.value, bytes: await read(step.value) })),
      );
      yield blocks;
      progress.blocks += blocks.length;
      progress.bytes += blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
      progress.records += fresh.slice(done, done + BATCH).filter((step) => !('bytes' in step)).length;
    }
    onProgress?.({ ...progress });
  }
};

/**
 * Reads an unpacked folder. Without edits, the CAR has the same commit. With edits, it has a new commit.
 * @throws {RepoError} `RepoNotFound` if the folder is missing; `Malformed` for a file that is not valid, which the
 *   message names; `SignerRequired` if the records differ and there is no signer; `InvalidDid`, `WrongDid`;
 *   `InvalidSignature`; `LimitExceeded`; `StorageFailed`.
 */
export const packFrom = async (place: Place, options: PackOptions): Promise<PackedFolder> => {
  const { parent, name, path } = place;
  if ((await io(`reading ${path}`, parent.entry(name)))?.kind !== 'folder') {
    throw new RepoError('RepoNotFound', `the folder is missing: give the folder that unpack made; path=${path}`);
  }
  const before = await readUnpackedCommit(place);
  const records = await listRecordFiles(place);
  const tree = await buildTree(place, records, options);
  const { bytes, commit } = await commitOf(place, before, tree.data, options);
  const head = cidOf(CODEC_DAG_CBOR, bytes);
  return {
    did: commit.did,
    head,
    rev: decodeCommit(bytes).rev,
    data: tree.data,
    signed: commit.sig !== undefined,
    edited: bytes !== before?.bytes,
    records: records.length,
    car: () => writeCarStream(head, blocksOf(place, tree, { cid: head, bytes }, options)),
  };
};
