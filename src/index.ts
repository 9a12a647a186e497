/**
 * The platform-independent core: CIDs, CBOR, CARs, trees, commits, keys, and stores in memory.
 *
 * You can read and edit the tree of a repository directly. Load the nodes first; then each edit is a pure function from
 * one tree to another. `seal` computes the CIDs of the new nodes. Nothing is stored:
 *
 * @example
 * ```ts
 * import type { BlockStore } from 'pdsdb';
 * import { CID, coveringProof, createNodeReader, insert, linkTo, loadPaths, remove, seal, walkLeaves } from 'pdsdb';
 *
 * const rename = async (store: BlockStore, root: CID, from: string, to: string, record: CID) => {
 *   const reader = createNodeReader(store);
 *   const tree = await loadPaths(reader, linkTo(root), [from, to]);
 *   const { root: renamed, blocks } = seal(insert(remove(tree, from), to, record.bytes));
 *   for await (const leaves of walkLeaves(reader, root, { prefix: 'app.bsky.feed.post/' })) {
 *     console.log(leaves.map(({ key }) => key));
 *   }
 *   return { renamed, blocks, proof: await coveringProof(reader, root, [from, to]) };
 * };
 * ```
 * @module
 */
import type { CarSource } from './core/car/source.ts';
import type { OpenCarOptions } from './core/repo/transfer/open-car.ts';
import { openCar as openCarBy } from './core/repo/transfer/open-car.ts';
import type { Repo } from './core/repo/repo.ts';
import type { VerifyCarOptions, VerifyCarReport } from './core/repo/transfer/verify-car.ts';
import { verifyCar as verifyCarBy } from './core/repo/transfer/verify-car.ts';
import type { HashAll } from './core/data/sha256.ts';
import { createHashAll } from './wasm/hash/sha256.ts';

export type {
  BackedUpFile,
  BackupManifest,
  BackupOptions,
  ManifestReader,
} from './core/repo/transfer/backup-manifest.ts';
export type { BackupContent, BackupFile } from './core/storage/backup-file.ts';
export { createManifestReader, decodeManifest } from './core/repo/transfer/backup-manifest.ts';
export type { BlobMention, BlobRef } from './core/data/blob-ref.ts';
export { blobMentions, isBlobRef } from './core/data/blob-ref.ts';
export type { Bytes } from './core/data/bytes.ts';
export type { HeadMove, OtherHeads } from './core/repo/read/other-heads.ts';
export type { CarOptions } from './core/car/decoder.ts';
export { MAX_BLOCK_SIZE, MAX_CAR_BLOCKS, MAX_CAR_HEADER, MAX_CAR_SIZE } from './core/car/decoder.ts';
export { MAX_CAR_ROOTS } from './core/car/header.ts';
export type { Car, CarBlock, CarStream } from './core/car/reader.ts';
export { describeForeignInput } from './core/car/foreign-input.ts';
export { readCar, readCarStream } from './core/car/reader.ts';
export { carBlock, carHeader, writeCar, writeCarStream } from './core/car/writer.ts';
export { MAX_REPORTED } from './core/data/bounded-list.ts';
export { decodeCbor, decodeRecord } from './core/data/cbor-decode.ts';
export { encodeCbor } from './core/data/cbor-encode.ts';
export {
  MAX_CBOR_DEPTH,
  MAX_CBOR_ENTRIES,
  MAX_CBOR_KEY_LENGTH,
  MAX_CBOR_VALUES,
  checkCbor,
} from './core/data/cbor-check.ts';
export type { CidBytes, CidCodec } from './core/data/cid.ts';
export {
  CID,
  CODEC_DAG_CBOR,
  CODEC_RAW,
  cidEquals,
  cidOf,
  cidToText,
  decodeCid,
  isCidOf,
  parseCid,
} from './core/data/cid.ts';
export type { Commit, CreatedCommit } from './core/repo/commit.ts';
export type { CommitEvent, EventOp, SyncEvent } from './core/repo/proof/commit-event.ts';
export { MAX_EVENT_BLOCKS, MAX_EVENT_OPS, MAX_SYNC_BLOCKS } from './core/repo/proof/commit-event.ts';
export type { AppliedEvent, ApplyEventOptions } from './core/repo/proof/applied-event.ts';
export type { ProofOptions, RepoProofs } from './core/repo/proof/repo-proofs.ts';
export type { EventReport, VerifyEventOptions } from './core/repo/proof/verify-commit-event.ts';
export { verifyCommitEvent } from './core/repo/proof/verify-commit-event.ts';
export type { ProofResult, VerifyProofOptions } from './core/repo/proof/verify-proof.ts';
export { MAX_PROOF_SIZE, verifyProof } from './core/repo/proof/verify-proof.ts';
export { createCommit, decodeCommit, encodeCommit, unsignedBytes, verifyCommit } from './core/repo/commit.ts';
export type { RepoErrorCode } from './core/errors.ts';
export { REPO_ERROR_CODES, RepoError, isRepoError } from './core/errors.ts';
export type { JsonValue } from './core/data/json.ts';
export { fromJson, toJson } from './core/data/json.ts';
export type { DidDocument, KeySource, VerificationMethod } from './core/crypto/key-source.ts';
export { MAX_DID_DOCUMENT_LENGTH, toDidKey } from './core/crypto/key-source.ts';
export type { Curve, PublicKey } from './core/crypto/keys.ts';
export { CURVES, formatDidKey, parseDidKey, parseMultikey, verifySignature } from './core/crypto/keys.ts';
export type { Awaitable, List, ReaderSource } from './core/storage/checked-reader.ts';
export { compareText } from './core/data/bytes.ts';
export { CheckedReader } from './core/storage/checked-reader.ts';
export { ChangeQueue } from './core/storage/change-queue.ts';
export type { ChangeSource } from './core/storage/pending-change.ts';
export { PendingChange } from './core/storage/pending-change.ts';
export type { PendingWrites } from './core/storage/pending-reads.ts';
export { MemoryBlobStore } from './core/storage/memory-blob-store.ts';
export { MemoryBlockStore } from './core/storage/memory-block-store.ts';
export type { TreeBuilder, TreeBuilderOptions } from './core/mst/build.ts';
export { createTreeBuilder } from './core/mst/build.ts';
export type { NodeDifference, TreeChange } from './core/mst/diff.ts';
export { diffNodes, diffTrees } from './core/mst/diff.ts';
export { findAtLayer, findLoaded, findValue, findValues } from './core/mst/find.ts';
export { insert } from './core/mst/insert.ts';
export { invert } from './core/mst/invert.ts';
export { MAX_KEY_LENGTH, isTreeKey, layerOf } from './core/mst/key.ts';
export type { LoadOptions } from './core/mst/load.ts';
export { loadPaths } from './core/mst/load.ts';
export { loadAvailable } from './core/mst/load-available.ts';
export type { Leaf, Link, Node } from './core/mst/node.ts';
export {
  EMPTY_LINK,
  EMPTY_ROOT,
  MAX_NODE_ENTRIES,
  MAX_NODE_KEYS_SIZE,
  MAX_TREE_DEPTH,
  linkTo,
} from './core/mst/node.ts';
export type { NodeReader, NodeReaderOptions } from './core/mst/node-reader.ts';
export { createNodeReader } from './core/mst/node-reader.ts';
export { coveringProof, pathProof } from './core/mst/proof.ts';
export type { Subtree } from './core/mst/read-nodes.ts';
export { remove } from './core/mst/remove.ts';
export type { Sealed } from './core/mst/seal.ts';
export { seal } from './core/mst/seal.ts';
export type { TreeReport, VerifyTreeOptions } from './core/mst/verify.ts';
export { verifyTree } from './core/mst/verify.ts';
export type { WalkRange } from './core/mst/walk.ts';
export { walkLeaves } from './core/mst/walk.ts';
export type {
  ChangeList,
  ExportOptions,
  ImportChanges,
  PathRange,
  GarbageOptions,
  GarbageResult,
  ImportOptions,
  ImportResult,
  LongWork,
  Progress,
  VerifyOptions,
  VerifyReport,
} from './core/repo/long-work.ts';
export type {
  Branch,
  BranchWriteOptions,
  RebaseConflict,
  RebaseOptions,
  RebaseResult,
} from './core/repo/branch.ts';
export type {
  CreateRecordOptions,
  CreateResult,
  DiffOptions,
  LogOptions,
  PutResult,
  RecommitOptions,
  RecommitResult,
  ResetOptions,
  ResetResult,
} from './core/repo/commits.ts';
export type { KeptPath, KeptWork } from './core/repo/long-work.ts';
export type { CarSource } from './core/car/source.ts';
export type { Fault } from './core/data/fault.ts';
export type {
  CollectionCount,
  CommitRef,
  FoundRecord,
  Head,
  HeadChange,
  ListOptions,
  LogEntry,
  MissingBlob,
  PutBlobRefOptions,
  RecordChange,
  RecordEntry,
  RecordValue,
  Repo,
  RepoInfo,
  StoredBlob,
  Tree,
  TreeEntry,
  WriteOp,
  WriteOptions,
  WriteResult,
} from './core/repo/repo.ts';
export type { Loss, RepairAction, RepairOptions, RepairReport, RepairStep } from './core/repo/care/repair-report.ts';
export type { RecordPage, RecordWatch, WatchOptions } from './core/repo/read/watch.ts';
export type { RepoStores } from './core/repo/stores.ts';
export { MAX_RECORD_FAULTS } from './core/repo/transfer/import-tree.ts';
export { MAX_UNLINKED } from './core/repo/transfer/import.ts';
export { repoOver } from './core/repo/local-repo.ts';
export type { Validate } from './core/repo/record.ts';
export { MAX_RECORD_SIZE } from './core/repo/record.ts';
export { MAX_CAR_LOOKAHEAD } from './core/repo/transfer/car-with-did.ts';
export type { CopyOptions, CopyResult } from './core/repo/transfer/copy/copy-repo.ts';
export { copyRepo } from './core/repo/transfer/copy/copy-repo.ts';
export type { DidOfCarOptions } from './core/repo/transfer/did-of-car.ts';
export { didOfCar } from './core/repo/transfer/did-of-car.ts';
export type { OpenCarOptions } from './core/repo/transfer/open-car.ts';
export type { VerifyCarOptions, VerifyCarReport } from './core/repo/transfer/verify-car.ts';
export type {
  CollectionName,
  JsonBlob,
  JsonForm,
  JsonObject,
  JsonRecord,
  JsonRecordValue,
  RecordInput,
  Records,
} from './core/repo/typed-records.ts';
export { MAX_REV_AHEAD_MS } from './core/repo/write/accept.ts';
export type { CreateHash, HashAll, Message, Sha256Stream } from './core/data/sha256.ts';
export type { Signer } from './core/crypto/signer.ts';
export type { SigningKey } from './core/crypto/signing-key.ts';
export { generateKey, importKey } from './core/crypto/signing-key.ts';
export type { LazyBlobSource } from './core/storage/blob-source.ts';
export type {
  BlobInfo,
  BlobSource,
  BlobStore,
  InvalidBlobEntry,
  BlockChange,
  BlockReader,
  BlockStore,
  ChangeMaintenance,
  CommitRange,
  LenientReader,
  PutBlobOptions,
  ScratchFile,
  StoreMaintenance,
  StoreReader,
  StoreSnapshot,
} from './core/storage/ports.ts';
export type { Block, NamedBlock } from './core/blocks/block.ts';
export type { CidLike } from './core/data/cid.ts';
export { assertCollection, assertDid, assertRecordKey } from './core/syntax/identifiers.ts';
export type { AtUri } from './core/syntax/at-uri.ts';
export { MAX_AT_URI_LENGTH, formatAtUri, parseAtUri } from './core/syntax/at-uri.ts';
export type { Tid, TidClock } from './core/syntax/tid.ts';
export { ZERO_TID, createTidClock, isTid, parseTid, tidOf, tidToMicroseconds } from './core/syntax/tid.ts';
export type { MetaValues, RepoMeta } from './core/repo/write/meta.ts';
export { MAX_META_NAME_SIZE, MAX_META_VALUE_SIZE, META_PREFIX } from './core/repo/write/meta.ts';
export type { WriteRequest } from './core/repo/write/write-request.ts';
export { createHashAll } from './wasm/hash/sha256.ts';
export { sha256Stream } from './wasm/hash/sha256-stream.ts';

const hashAll: HashAll = /* @__PURE__ */ createHashAll();

/**
 * Checks that a CAR is a complete repository, and returns a report. Checks the hash of every block, the tree, that
 * every record is present and valid in the data model, the DID, and with `key` the signature. Stores nothing. Of a
 * stream or a `Blob`, it keeps the CIDs and the nodes of the tree in memory, and not the records.
 *
 * @example
 * ```ts
 * import { verifyCar } from 'pdsdb';
 *
 * const car = await fetch('https://pds.example.com/xrpc/com.atproto.sync.getRepo?did=did:web:alice.example.com');
 * const { ok, faults, records } = await verifyCar(car.body!, { did: 'did:web:alice.example.com' });
 * console.log(ok ? `${records} records, all sound` : faults);
 * ```
 * @throws {RepoError} `Malformed` if the source is not a CAR, a block does not match its CID, or the root is not a
 *   commit; `BlockNotFound` if the commit is missing; `LimitExceeded`; `UnknownKey` if `key` is not a public key, or is
 *   a DID document of another account. Any other fault is in the report.
 */
export const verifyCar = (source: CarSource, options: VerifyCarOptions = {}): Promise<VerifyCarReport> =>
  verifyCarBy(source, { ...options, hashAll: options.hashAll ?? hashAll });

/**
 * Opens a CAR as a read-only repository, without storing it: `get`, `list`, `info`, `log`, `diff`, `checkout`,
 * `exportCar`, `missingBlobs`. The whole CAR is in memory until `close`. Every block is checked against its CID. The
 * tree and the records are checked when they are read, so a CAR with missing blocks opens too; {@link verifyCar} checks
 * everything. Writes reject with `ReadOnly`.
 *
 * @example
 * ```ts
 * import { openAsBlob } from 'node:fs';
 * import { openCar } from 'pdsdb';
 *
 * await using repo = await openCar(await openAsBlob('alice.car'));
 * for await (const { rkey, value } of repo.list('app.bsky.feed.post', { reverse: true, limit: 10 })) {
 *   console.log(rkey, value['text']);
 * }
 * ```
 * @throws {RepoError} `Malformed` if the source is not a CAR, a block does not match its CID, or the root is not a
 *   commit; `BlockNotFound` if the commit is missing; `LimitExceeded`.
 */
export const openCar = (source: CarSource, options: OpenCarOptions = {}): Promise<Repo> =>
  openCarBy(source, { ...options, hashAll: options.hashAll ?? hashAll });
