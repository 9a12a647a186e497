/** Checking a CAR as a repository, without storing it. */
import type { KeySource } from '../../crypto/key-source.ts';
import { toDidKey } from '../../crypto/key-source.ts';
import type { CID, CidBytes } from '../../data/cid.ts';
import { cidBytesToText, cidToText, decodeCid } from '../../data/cid.ts';
import type { CarOptions } from '../../car/decoder.ts';
import { BoundedList } from '../../data/bounded-list.ts';
import { readPackedCar } from '../../car/reader.ts';
import type { Commit } from '../commit.ts';
import { verifyCommit } from '../commit.ts';
import { decodeRootCommit } from '../root-commit.ts';
import { isRepoError, RepoError } from '../../errors.ts';
import { ArenaBlocks } from '../../blocks/arena-blocks.ts';
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
  /** The account that the commit must name; any when left out. */
  readonly did?: string | undefined;
  /**
   * The account's public key: a `did:key`, a `publicKeyMultibase`, a DID document or its JSON. With it the signature is
   * checked; without it only that it has the form of one.
   */
  readonly key?: KeySource | undefined;
  /** The most bytes that the CAR may have; `MAX_CAR_SIZE` (1 GiB) when left out. */
  readonly maxSize?: number | undefined;
  /** The most blocks that it may have; `MAX_CAR_BLOCKS` (16,777,216) when left out. */
  readonly maxBlocks?: number | undefined;
  /** Hashes many messages at once; the fastest that this runtime has when left out. */
  readonly hashAll?: HashAll | undefined;
}

/** What a CAR turned out to be. */
export interface VerifyCarReport {
  /** There are no faults. */
  readonly ok: boolean;
  /** The first `MAX_REPORTED` faults. */
  readonly faults: readonly Fault[];
  /** How many faults there are. */
  readonly faultCount: number;
  /** `none` is a fault, too. */
  readonly signature: VerifyReport['signature'];
  /** The commit that the CAR is of. */
  readonly head: CID;
  readonly commit: Commit;
  readonly records: number;
  /** Blocks of the repository. Others may be in the CAR, and are only counted. */
  readonly blocks: number;
  readonly unlinked: number;
}

/** The blocks of a CAR in memory, by their CIDs. */
interface CarBlocks {
  readonly roots: readonly CID[];
  readonly size: number;
  /** How many of them were taken. */
  readonly taken: number;
  /** A block, which is thereby known to be a part of the repository. */
  take(cid: Uint8Array): Uint8Array | undefined;
}

const readBlocks = async (source: CarSource, limits: CarOptions, tell: (bytes: number) => void): Promise<CarBlocks> => {
  const car = await readPackedCar(source, limits);
  const blocks = ArenaBlocks.for(source);
  for await (const frames of car) {
    blocks.add(frames);
    tell(frames.size);
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
      const number = blocks.cids.indexOf(cid);
      if (isTaken[number] === 0) {
        isTaken[number] = 1;
        taken += 1;
      }
      return blocks.bytesAt(number);
    },
  };
};

/** @throws {RepoError} `Malformed`, `BlockNotFound`: without its commit a CAR cannot be said anything about. */
const requireCommit = (car: CarBlocks): { readonly head: CID; readonly commit: Commit; readonly bytes: Uint8Array } => {
  const [head] = car.roots;
  if (head === undefined) {
    throw new RepoError('Malformed', 'the CAR names no root, so it holds blocks and no repository');
  }
  const bytes = car.take(head.bytes);
  if (bytes === undefined) {
    throw new RepoError('BlockNotFound', `the commit that the CAR names is not in it; cid=${cidToText(head)}`);
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
  assertPath: AssertPath,
): Fault | undefined => {
  const where = (): Pick<Fault, 'cid' | 'path'> => ({ path: key, cid: decodeCid(value) });
  if (bytes === undefined) {
    return {
      code: 'BlockNotFound',
      message: `the record's block is missing; path=${key} cid=${cidBytesToText(value)}`,
      ...where(),
    };
  }
  try {
    assertPath(key);
    assertRecordCid(value);
    checkRecord(bytes);
    return undefined;
  } catch (error) {
    if (!isRepoError(error, 'Malformed')) {
      throw error;
    }
    return { code: error.code, message: `${error.message}; path=${key} cid=${cidBytesToText(value)}`, ...where() };
  }
};

/**
 * Checks that a CAR is a whole repository: the hash of every block, the whole tree, that every record is there and
 * keeps to the encoding of the data model, the DID and, given a key, the signature. All of the CAR is held in memory.
 * @throws {RepoError} `Malformed`, `LimitExceeded` when it is no CAR, a block is not what its CID names, or it names no
 *   commit; `BlockNotFound` when that is not in it; `UnknownKey` when the key is not a public key, or a DID document of
 *   another account. All else is a fault in the report.
 */
export const verifyCar = async (source: CarSource, options: VerifyCarOptions = {}): Promise<VerifyCarReport> => {
  const { did, hashAll, key, maxBlocks, maxSize, onProgress, signal } = options;
  // Before anything is read.
  const didKey = key === undefined ? undefined : toDidKey(key, did);
  const tally: { -readonly [K in keyof Progress]: Progress[K] } = { phase: 'read', bytes: 0, blocks: 0, records: 0 };
  const tell = (): void => {
    signal?.throwIfAborted();
    onProgress?.({ ...tally });
  };
  const car = await readBlocks(source, { hashAll, maxBlocks, maxSize }, (bytes) => {
    tally.bytes += bytes;
    tell();
  });
  tally.blocks = car.size;
  tally.phase = 'verify';
  const { head, commit, bytes } = requireCommit(car);
  if (key !== undefined && did === undefined) {
    // A DID document has to be of the account that the CAR is of.
    toDidKey(key, commit.did);
  }
  const faults = new BoundedList<Fault>();
  if (did !== undefined && commit.did !== did) {
    faults.add({
      code: 'WrongDid',
      message: `the commit is of another account; expected=${did} found=${commit.did}`,
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
  const tree = await verifyTreeOf(async (cids) => cids.map(car.take), commit.data.bytes as CidBytes, {
    hashAll,
    // All of them, and nothing else is read.
    hashed: { has: () => true },
    signal,
    onFault: (fault) => faults.add(fault),
    async onLeaves(leaves) {
      for (const leaf of leaves) {
        const fault = recordFault(leaf, car.take(leaf.value), assertPath);
        if (fault !== undefined) {
          faults.add(fault);
        }
      }
      tally.records += leaves.length;
      tell();
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
  };
};
