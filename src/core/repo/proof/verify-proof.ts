/** Checking a proof of one record: a CAR with a signed commit and the tree nodes from the root to the record's key. */
import type { CarSource } from '../../car/source.ts';
import type { KeySource } from '../../crypto/key-source.ts';
import { toDidKey } from '../../crypto/key-source.ts';
import type { Bytes } from '../../data/bytes.ts';
import type { CID } from '../../data/cid.ts';
import { decodeCid } from '../../data/cid.ts';
import { isRepoError } from '../../errors.ts';
import { findAtLayer } from '../../mst/find.ts';
import { loadAvailable } from '../../mst/load-available.ts';
import { assertDid } from '../../syntax/identifiers.ts';
import { verifyCommit } from '../commit.ts';
import { pathOf } from '../path.ts';
import type { ProofBlocks } from './proof-blocks.ts';
import { readProof } from './proof-blocks.ts';

/** The most bytes of a proof. An honest one has some kilobytes of nodes, and one record. */
export const MAX_PROOF_SIZE: number = 16 * 1024 * 1024;

export interface VerifyProofOptions {
  /** The account that the commit must name. */
  readonly did: string;
  /** The account's public key: a `did:key`, a `publicKeyMultibase`, a DID document or its JSON. */
  readonly key: KeySource;
  /** The path of the record: `collection/rkey`. */
  readonly path: string;
}

/** The commit that a proof is about. */
interface ProvenCommit {
  readonly commit: CID;
  readonly rev: string;
}

/**
 * What a proof shows.
 *
 * - `present`: the commit has this record. `bytes` is its block, or `undefined` if the CAR lacks it.
 * - `absent`: the commit has no record of this path.
 * - `unproven`: the CAR lacks the commit, or a tree node on the way to the record. The record may exist or not.
 * - `invalid`: the CAR is malformed, of another account, not signed by the key, or its tree breaks a rule.
 */
export type ProofResult =
  | ({ readonly state: 'present'; readonly cid: CID; readonly bytes: Bytes | undefined } & ProvenCommit)
  | ({ readonly state: 'absent' } & ProvenCommit)
  | { readonly state: 'invalid' | 'unproven'; readonly reason: string };

const lookUp = async (proof: ProofBlocks, path: string): Promise<ProofResult> => {
  const { root, commit } = proof;
  const value = findAtLayer(await loadAvailable(proof, commit.data), path);
  const where: ProvenCommit = { commit: root, rev: commit.rev };
  if (value === undefined) {
    return { state: 'absent', ...where };
  }
  return { state: 'present', cid: decodeCid(value), bytes: await proof.get(value), ...where };
};

/**
 * Checks what a CAR proves about one record. It needs no repository and no network. `com.atproto.sync.getRecord`
 * returns such a CAR.
 *
 * A proof of absence may stop at the layer of the key: no node below that layer can hold the key.
 * @param car The proof, at most {@link MAX_PROOF_SIZE} bytes. All of it is held in memory.
 * @returns The state; a bad CAR does not throw.
 * @throws {RepoError} `InvalidDid`, `InvalidCollection`, `InvalidRecordKey` when an option is not valid; `UnknownKey`
 *   when the key is not a public key, or is the DID document of another account.
 * @example
 * ```ts
 * import { verifyProof } from 'pdsdb';
 *
 * const check = async (car: Uint8Array, did: string, key: string) => {
 *   const result = await verifyProof(car, { did, key, path: 'app.bsky.actor.profile/self' });
 *   console.log(result.state, result.state === 'present' ? result.cid.toString() : '');
 * };
 * ```
 * @see https://atproto.com/specs/repository#authenticated-data-structures
 */
export const verifyProof = async (car: CarSource, options: VerifyProofOptions): Promise<ProofResult> => {
  const { did, key } = options;
  assertDid(did);
  const didKey = toDidKey(key, did);
  const path = pathOf(options.path, undefined);
  try {
    const proof = await readProof(car, MAX_PROOF_SIZE);
    const { commit, commitBytes } = proof;
    if (commit.did !== did) {
      return { state: 'invalid', reason: `the commit is of another account; expected=${did} found=${commit.did}` };
    }
    if (!verifyCommit(commitBytes, didKey)) {
      return { state: 'invalid', reason: `the commit is not signed by the key; rev=${commit.rev} key=${didKey}` };
    }
    return await lookUp(proof, path);
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    return { state: error.code === 'BlockNotFound' ? 'unproven' : 'invalid', reason: error.message };
  }
};
