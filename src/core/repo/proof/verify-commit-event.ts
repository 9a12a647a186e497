/** Checking an event of a stream of commits without a copy of the repository. https://atproto.com/specs/sync */
import type { KeySource } from '../../crypto/key-source.ts';
import { toDidKey } from '../../crypto/key-source.ts';
import type { VerifySignature } from '../../crypto/keys.ts';
import { verifySignature } from '../../crypto/keys.ts';
import type { CID } from '../../data/cid.ts';
import { asCid, cidEquals, cidToText, decodeCid } from '../../data/cid.ts';
import { isBytes } from '../../data/platform-values.ts';
import { isRepoError, RepoError } from '../../errors.ts';
import type { TreeChange } from '../../mst/diff.ts';
import { assertChanged, invert } from '../../mst/invert.ts';
import { loadAvailable } from '../../mst/load-available.ts';
import type { Link } from '../../mst/node.ts';
import { EMPTY_ROOT } from '../../mst/node.ts';
import { seal } from '../../mst/seal.ts';
import type { Commit } from '../commit.ts';
import { verifyCommit } from '../commit.ts';
import type { CommitEvent, SyncEvent } from './commit-event.ts';
import { MAX_EVENT_BLOCKS, MAX_SYNC_BLOCKS } from './commit-event.ts';
import type { EventChanges } from './event-changes.ts';
import { changesOf } from './event-changes.ts';
import type { ProofBlocks } from './proof-blocks.ts';
import { readProof } from './proof-blocks.ts';

export interface VerifyEventOptions {
  /** The account's public key, in any form of {@link KeySource}. Without it the signature is not checked. */
  readonly key?: KeySource | undefined;
  /** The rev of the last commit that is known; `null` for none. Without it the rev before is not checked. */
  readonly since?: string | null | undefined;
  /** The root of the tree of that commit; `null` for none. Without it the tree before is not checked. */
  readonly prevData?: CID | null | undefined;
}

/**
 * What an event turned out to be.
 *
 * - `valid`: the commit is as announced. Undoing the operations leads to the tree before. The blocks have every record.
 * - `unproven`: nothing is wrong, but the event lacks what proves it: `prevData`, a `prev`, a tree node or a record.
 * - `desynchronized`: the event is not about the commit after `since` and `prevData`. Fetch the repository again.
 * - `invalid`: the event contradicts itself, is malformed, or is not signed by the key.
 */
export interface EventReport {
  readonly state: 'desynchronized' | 'invalid' | 'unproven' | 'valid';
  /** Why the state is not `valid`. */
  readonly reason: string | undefined;
  /** The commit that is announced; `undefined` if the event does not hold a readable one. */
  readonly commit: Commit | undefined;
  /** What the operations say, in their order. Empty for a sync event, and if the operations contradict themselves. */
  readonly changes: readonly TreeChange[];
}

/** @param found The values that caused the error, as `name=value`. */
const malformed = (fault: string, found: string): RepoError =>
  new RepoError('Malformed', `${fault}: get the CAR of the repository instead; ${found}`);

const assertCommit = (
  event: CommitEvent | SyncEvent,
  { root, commit, commitBytes }: ProofBlocks,
  key: string | undefined,
  verify: VerifySignature,
): void => {
  const did = event.type === 'commit' ? event.repo : event.did;
  if (commit.did !== did) {
    throw malformed('the commit is of another account', `event=${did} commit=${commit.did}`);
  }
  // After an import, the reference server announces the imported commit under a new rev.
  if (event.type === 'commit' && commit.rev !== event.rev) {
    throw malformed('the commit has another rev', `event=${event.rev} commit=${commit.rev}`);
  }
  if (event.type === 'commit' && !cidEquals(asCid(event.commit), root)) {
    throw malformed('the root of the blocks is not the commit of the event', `root=${cidToText(root)}`);
  }
  if (key !== undefined && !verifyCommit(commitBytes, key, verify)) {
    throw new RepoError(
      'InvalidSignature',
      `the commit is not signed by the key: look up the key of the account again; rev=${commit.rev} key=${key}`,
    );
  }
};

/**
 * Returns the path of the first record that is not among the blocks.
 * @throws {RepoError} `Malformed` unless the tree has what each operation says; `BlockNotFound`.
 */
const missingRecord = async (
  tree: Link,
  changes: readonly TreeChange[],
  blocks: ProofBlocks,
): Promise<string | undefined> => {
  let missing: string | undefined;
  for (const change of changes) {
    const { key, to } = change;
    assertChanged(tree, change);
    if (to !== undefined && (await blocks.get(to)) === undefined) {
      missing ??= key;
    }
  }
  return missing;
};

/** The root of the tree before: the empty tree for a first commit, `undefined` if the event does not say it. */
const rootBefore = ({ prevData, since }: CommitEvent): CID | undefined => {
  if (prevData === undefined || prevData === null) {
    return since === null ? EMPTY_ROOT : undefined;
  }
  const cid = asCid(prevData);
  if (cid === undefined) {
    throw malformed('prevData is not a CID', `type=${typeof prevData}`);
  }
  return cid;
};

/**
 * Checks the operations of an event. Returns why they are not proved, or `undefined` if they are.
 * @param before The root of the tree before; `undefined` if the event does not say it.
 * @throws {RepoError} `Malformed`; `BlockNotFound` when a tree node is missing.
 */
const checkChanges = async (
  before: CID | undefined,
  { changes, unknownBefore }: EventChanges,
  blocks: ProofBlocks,
): Promise<string | undefined> => {
  const tree = await loadAvailable(blocks, blocks.commit.data);
  const missing = await missingRecord(tree, changes, blocks);
  if (missing !== undefined) {
    return `the record of an operation is not in the blocks; path=${missing}`;
  }
  if (before === undefined) {
    return 'the event has no prevData: its host is from before Sync 1.1';
  }
  if (unknownBefore !== undefined) {
    return `an update or delete has no prev; path=${unknownBefore}`;
  }
  const link = invert(tree, changes);
  const root = decodeCid(seal(link).root);
  if (cidEquals(root, before)) {
    return undefined;
  }
  const fault = 'undoing the operations does not lead to prevData';
  const found = `prevData=${cidToText(before)} found=${cidToText(root)}`;
  if (link.node !== undefined) {
    throw malformed(fault, found);
  }
  // The node that is now on top was not in the blocks. It may have no keys, and the root would be a node below it.
  return `${fault}; ${found}`;
};

/** Why the event does not follow the commit that is known; `undefined` if it does. */
const gapBefore = (
  event: CommitEvent,
  before: CID | undefined,
  { since, prevData }: VerifyEventOptions,
): string | undefined => {
  if (since !== undefined && event.since !== since) {
    return `the event follows another rev; known=${String(since)} since=${String(event.since)}`;
  }
  if (prevData !== undefined) {
    const known = prevData ?? EMPTY_ROOT;
    if (!cidEquals(before, known)) {
      return `the event follows another tree; known=${cidToText(known)} prevData=${before ? cidToText(before) : 'none'}`;
    }
  }
  return undefined;
};

/** The options with the key as a `did:key`. */
type CheckOptions = Omit<VerifyEventOptions, 'key'> & { readonly key?: string | undefined };

/** A report, and the blocks of the event if they could be read. */
export interface CheckedEvent {
  readonly report: EventReport;
  readonly blocks: ProofBlocks | undefined;
}

/** As {@link verifyCommitEvent}. */
export const checkEvent = async (
  event: CommitEvent | SyncEvent,
  options: CheckOptions,
  verify: VerifySignature = verifySignature,
): Promise<CheckedEvent> => {
  const isCommit = event.type === 'commit';
  let blocks: ProofBlocks | undefined;
  let changes: readonly TreeChange[] = [];
  const result = (state: EventReport['state'], reason?: string): CheckedEvent => ({
    report: { state, reason, commit: blocks?.commit, changes },
    blocks,
  });
  try {
    if (!isBytes(event.blocks)) {
      throw malformed('the event has no blocks', `type=${typeof event.blocks}`);
    }
    blocks = await readProof(event.blocks, isCommit ? MAX_EVENT_BLOCKS : MAX_SYNC_BLOCKS);
    assertCommit(event, blocks, options.key, verify);
    if (!isCommit) {
      return result('valid');
    }
    const named = changesOf(event);
    ({ changes } = named);
    const before = rootBefore(event);
    const gap = gapBefore(event, before, options);
    const unproven = await checkChanges(before, named, blocks);
    if (gap !== undefined) {
      return result('desynchronized', gap);
    }
    return unproven === undefined ? result('valid') : result('unproven', unproven);
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    return result(error.code === 'BlockNotFound' ? 'unproven' : 'invalid', error.message);
  }
};

/**
 * Checks an event of `com.atproto.sync.subscribeRepos`. It needs no copy of the repository and no network.
 *
 * It checks the account, the rev, the signature (with `key`), that the tree has what each operation says, and that
 * undoing the operations leads to `prevData`. With `since` and `prevData` of the last known commit it also checks that
 * the event follows that commit. It does not compare the rev with the clock, or with revs that are known.
 * @returns The report; a bad event does not throw.
 * @throws {RepoError} `UnknownKey` when the key is not a public key, or is the DID document of another account.
 * @example
 * ```ts
 * import type { CommitEvent } from 'pdsdb';
 * import { verifyCommitEvent } from 'pdsdb';
 *
 * const check = async (event: CommitEvent, key: string) => {
 *   const { state, reason, changes } = await verifyCommitEvent(event, { key });
 *   console.log(state, reason ?? changes.map((change) => change.key));
 * };
 * ```
 */
export const verifyCommitEvent = async (
  event: CommitEvent | SyncEvent,
  options: VerifyEventOptions = {},
): Promise<EventReport> => {
  const did = event.type === 'commit' ? event.repo : event.did;
  const key = options.key === undefined ? undefined : toDidKey(options.key, did);
  return (await checkEvent(event, { ...options, key })).report;
};
