/** Verifies a CAR as a repository, without storing it. */
import type { KeySource } from '../../crypto/key-source.ts';
import { toDidKey } from '../../crypto/key-source.ts';
import type { CID, CidBytes } from '../../data/cid.ts';
import { cidBytesToText, decodeCid } from '../../data/cid.ts';
import type { CarOptions } from '../../car/decoder.ts';
import { BoundedList } from '../../data/bounded-list.ts';
import { readPackedCar } from '../../car/reader.ts';
import type { Commit } from '../commit.ts';
import { verifyCommit } from '../commit.ts';
import { decodeRootCommit, noRoot, rootMissing } from '../root-commit.ts';
import { isRepoError } from '../../errors.ts';
import { ArenaBlocks } from '../../blocks/arena-blocks.ts';
import { isBytes } from '../../data/platform-values.ts';
import { CheckedRecords } from './checked-records.ts';
import type { LongWork, Progress, VerifyReport } from '../long-work.ts';
import type { CarSource } from '../../car/source.ts';
import type { Fault } from '../../data/fault.ts';
import type { Leaf } from '../../mst/node.ts';
import { verifyTreeOf } from '../../mst/verify.ts';
import { checkRecord } from '../../data/record-check.ts';
import type { HashAll } from '../../data/sha256.ts';
import type { AssertPath } from '../path.ts';
import { createAssertPath } from '../path.ts';
import { assertRecordCid } from '../record.ts';

export interface VerifyCarOptions extends LongWork {
  /** The DID that the commit must have. Default: any. */
  readonly did?: string | undefined;
  /**
   * The account's public key: a `did:key`, a `publicKeyMultibase`, a DID document or its JSON. With it, the signature
   * is checked; without it, only its form.
   */
  readonly key?: KeySource | undefined;
  /** The largest size of the CAR in bytes. Default: `MAX_CAR_SIZE` (1 GiB). */
  readonly maxSize?: number | undefined;
  /** The most blocks in the CAR. Default: `MAX_CAR_BLOCKS` (16,777,216). */
  readonly maxBlocks?: number | undefined;
  /** Hashes many messages at once. Default: the fastest of this runtime. */
  readonly hashAll?: HashAll | undefined;
}

/** The result of {@link verifyCar}. */
export interface VerifyCarReport {
  /** Whether no fault was found. */
  readonly ok: boolean;
  /** The first `MAX_REPORTED` faults. */
  readonly faults: readonly Fault[];
  /** Number of faults. */
  readonly faultCount: number;
  /** `none` is also a fault. */
  readonly signature: VerifyReport['signature'];
  /** The commit at the root of the CAR. */
  readonly head: CID;
  readonly commit: Commit;
  readonly records: number;
  /** Blocks of the repository. */
  readonly blocks: number;
  /** Other blocks in the CAR. */
  readonly unlinked: number;
  /**
   * `repository`: every block of the tree is in the CAR. `part`: blocks are missing, and nothing is wrong with the
   * others, as in a proof of a record or in a CAR with `since`. `damaged`: anything else.
   */
  readonly content: 'damaged' | 'part' | 'repository';
}

/** The blocks of a CAR in memory, by CID. */
interface CarBlocks {
  readonly roots: readonly CID[];
  readonly size: number;
  /** Number of blocks that were taken. */
  readonly taken: number;
  /** Returns a block and marks it as part of the repository. */
  take(cid: Uint8Array): Uint8Array | undefined;
  /** Returns whether a block is known to be a valid record. Then only its first bytes are in memory. */
  isChecked(cid: Uint8Array): boolean;
}

const FIRST_CAPACITY = 1024;

/** Returns flags for at least `size` blocks. */
const enlarged = (flags: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> => {
  if (size <= flags.length) {
    return flags;
  }
  const larger = new Uint8Array(2 * size);
  larger.set(flags);
  return larger;
};

const readBlocks = async (
  source: CarSource,
  limits: CarOptions,
  onBytes: (bytes: number) => void,
): Promise<CarBlocks> => {
  const car = await readPackedCar(source, limits);
  // A CAR in memory stays there anyway.
  const records = isBytes(source) ? undefined : new CheckedRecords(car.roots[0]?.bytes as CidBytes | undefined);
  const blocks = ArenaBlocks.for(source, records);
  let checked = new Uint8Array(records === undefined ? 0 : FIRST_CAPACITY);
  for await (const frames of car) {
    const before = blocks.size;
    blocks.add(frames);
    if (records !== undefined && blocks.size > before) {
      checked = enlarged(checked, blocks.size);
      const isNew = blocks.size - before === frames.length;
      for (let i = 0; i < frames.length; i++) {
        if (records.valid[i] === true) {
          checked[isNew ? before + i : blocks.indexOf(frames.cidAt(i))] = 1;
        }
      }
    }
    onBytes(frames.size);
  }
  const isTaken = new Uint8Array(blocks.size);
  let taken = 0;
  return {
    roots: car.roots,
    size: blocks.size,
    get taken() {
      return taken;
    },
    take(cid) {
      const number = blocks.indexOf(cid);
      if (isTaken[number] === 0) {
        isTaken[number] = 1;
        taken += 1;
      }
      return blocks.bytesAt(number);
    },
    isChecked: (cid) => checked[blocks.indexOf(cid)] === 1,
  };
};

/** @throws {RepoError} `Malformed`, `BlockNotFound` when the CAR has no commit. */
const requireCommit = (car: CarBlocks): { readonly head: CID; readonly commit: Commit; readonly bytes: Uint8Array } => {
  const [head] = car.roots;
  if (head === undefined) {
    throw noRoot();
  }
  const bytes = car.take(head.bytes);
  if (bytes === undefined) {
    throw rootMissing(head);
  }
  return { head, commit: decodeRootCommit(head, bytes), bytes };
};

const signatureOf = (commit: Commit, bytes: Uint8Array, key: string | undefined): VerifyReport['signature'] => {
  if (commit.sig === undefined) {
    return 'none';
  }
  if (key === undefined) {
    return 'unchecked';
  }
  return verifyCommit(bytes, key) ? 'valid' : 'invalid';
};

const recordFault = (
  { key, value }: Leaf,
  bytes: Uint8Array | undefined,
  isChecked: boolean,
  assertPath: AssertPath,
): Fault | undefined => {
  const where = (): Pick<Fault, 'cid' | 'path'> => ({ path: key, cid: decodeCid(value) });
  if (bytes === undefined) {
    return {
      code: 'BlockNotFound',
      message: `the record's block is missing: use a CAR that has it; path=${key} cid=${cidBytesToText(value)}`,
      ...where(),
    };
  }
  try {
    assertPath(key);
    assertRecordCid(value);
    if (!isChecked) {
      checkRecord(bytes);
    }
    return undefined;
  } catch (error) {
    if (!isRepoError(error, 'Malformed')) {
      throw error;
    }
    return { code: error.code, message: `${error.message}; path=${key} cid=${cidBytesToText(value)}`, ...where() };
  }
};

/**
 * Checks that a CAR is a complete and valid repository: all hashes, the tree, every record and its encoding, the DID
 * and, with a key, the signature. Of a stream, it keeps CIDs and nodes in memory. Reports all other
 * faults.
 * @throws {RepoError} `Malformed`, `LimitExceeded` when the source is not a CAR, a block does not match its CID, or its
 *   root is not a commit; `BlockNotFound` when the CAR does not contain its commit; `UnknownKey` when the key is not a
 *   public key, or a DID document of another account.
 */
export const verifyCar = async (source: CarSource, options: VerifyCarOptions = {}): Promise<VerifyCarReport> => {
  const { did, hashAll, key, maxBlocks, maxSize, onProgress, signal } = options;
  // Before anything is read.
  const didKey = key === undefined ? undefined : toDidKey(key, did);
  const tally: { -readonly [K in keyof Progress]: Progress[K] } = { phase: 'read', bytes: 0, blocks: 0, records: 0 };
  const notify = (): void => {
    signal?.throwIfAborted();
    onProgress?.({ ...tally });
  };
  const car = await readBlocks(source, { hashAll, maxBlocks, maxSize }, (bytes) => {
    tally.bytes += bytes;
    notify();
  });
  tally.blocks = car.size;
  tally.phase = 'verify';
  const { head, commit, bytes } = requireCommit(car);
  if (key !== undefined && did === undefined) {
    // A DID document must be of the account of the CAR.
    toDidKey(key, commit.did);
  }
  const faults = new BoundedList<Fault>();
  if (did !== undefined && commit.did !== did) {
    faults.add({
      code: 'WrongDid',
      message: `the commit is of another account: use the CAR of this account; expected=${did} found=${commit.did}`,
      cid: head,
    });
  }
  const signature = signatureOf(commit, bytes, didKey);
  if (signature === 'none' || signature === 'invalid') {
    faults.add({
      code: 'InvalidSignature',
      message: `the commit is not signed${signature === 'none' ? '' : ' by the key'}; rev=${commit.rev}`,
      cid: head,
    });
  }
  const assertPath = createAssertPath();
  let [missing, wrong] = [0, 0];
  const addFault = (fault: Fault): void => {
    faults.add(fault);
    if (fault.code === 'BlockNotFound') {
      missing += 1;
    } else {
      wrong += 1;
    }
  };
  const tree = await verifyTreeOf(async (cids) => cids.map(car.take), commit.data.bytes as CidBytes, {
    hashAll,
    // All blocks were hashed when they were read.
    hashed: { has: () => true },
    signal,
    onFault: addFault,
    async onLeaves(leaves) {
      for (const leaf of leaves) {
        const fault = recordFault(leaf, car.take(leaf.value), car.isChecked(leaf.value), assertPath);
        if (fault !== undefined) {
          addFault(fault);
        }
      }
      tally.records += leaves.length;
      notify();
    },
  });
  const { size, taken } = car;
  return {
    ok: faults.count === 0,
    faults: faults.items,
    faultCount: faults.count,
    signature,
    head,
    commit,
    records: tree.leaves,
    blocks: taken,
    unlinked: size - taken,
    content: wrong > 0 ? 'damaged' : missing > 0 ? 'part' : 'repository',
  };
};
