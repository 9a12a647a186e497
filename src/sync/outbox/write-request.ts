/** The requests that send pending changes to a host, and the state of their entries while they are sent. */
import { parseCid } from '../../core/data/cid.ts';
import type { JsonValue } from '../../core/data/json.ts';
import { toJson } from '../../core/data/json.ts';
import { isRepoError } from '../../core/errors.ts';
import { splitPath } from '../../core/repo/path.ts';
import type { RecordValue } from '../../core/repo/tree.ts';
import type { Session } from '../http/xrpc.ts';
import { callXrpc } from '../http/xrpc.ts';
import type { Entry } from './entry.ts';
import type { Outcome } from './outcome.ts';
import { landedBy, outcomeOf } from './outcome.ts';
import { actionOf } from './overlay.ts';
import type { PendingStore } from './pending-store.ts';

/** Most operations and bytes of JSON in one `applyWrites`. Older hosts accept bodies of 150 kB. */
export const MAX_WRITES = 200;
export const MAX_WRITE_SIZE = 140_000;

/** A pending change and its record. */
export interface Change {
  readonly entry: Entry;
  readonly record: RecordValue | undefined;
  readonly json: JsonValue | undefined;
}

/** A change that cannot be sent, and why. */
export interface Unsendable {
  readonly entry: Entry;
  readonly error: { readonly code: string; readonly message: string };
}

/**
 * Returns the change of an entry.
 * @throws the errors of the storage.
 */
export const changeOf = async (store: PendingStore, entry: Entry): Promise<Change | Unsendable> => {
  if (entry.ours === null) {
    return { entry, record: undefined, json: undefined };
  }
  const { collection, rkey } = splitPath(entry.path);
  try {
    const found = await store.branch.get(collection, rkey);
    if (found?.cid.equals(parseCid(entry.ours)) === true) {
      return { entry, record: found.value, json: toJson(found.value) };
    }
  } catch (error) {
    if (!isRepoError(error, 'InvalidRecord') && !isRepoError(error, 'Malformed')) {
      throw error;
    }
    return { entry, error: { code: error.code, message: error.message } };
  }
  // Never sent as a deletion: a repair may have lost the branch.
  const message = `the pending record is missing: write it again, or discard the change; path=${entry.path}`;
  return { entry, error: { code: 'RecordNotFound', message } };
};

/** Cuts the changes of an atomic write into those of one request each. */
export const cutWrites = (changes: readonly Change[]): Change[][] => {
  const chunks: Change[][] = [];
  let size = MAX_WRITE_SIZE;
  for (const change of changes) {
    // The rest is the JSON of an operation without its record.
    const bytes = new TextEncoder().encode(JSON.stringify(change.json ?? null)).length + change.entry.path.length + 100;
    const last = chunks.at(-1);
    if (last === undefined || last.length >= MAX_WRITES || size + bytes > MAX_WRITE_SIZE) {
      chunks.push([change]);
      size = bytes;
    } else {
      last.push(change);
      size += bytes;
    }
  }
  return chunks;
};

const sendOne = (session: Session, repo: string, { entry, json }: Change, signal: AbortSignal): Promise<unknown> => {
  const { collection, rkey } = splitPath(entry.path);
  const target = { repo, collection, rkey, swapRecord: entry.base };
  return json === undefined
    ? callXrpc(session, 'com.atproto.repo.deleteRecord', { input: target, signal })
    : callXrpc(session, 'com.atproto.repo.putRecord', { input: { ...target, record: json }, signal });
};

const sendAtomic = (
  session: Session,
  repo: string,
  changes: readonly Change[],
  swapCommit: string | undefined,
  signal: AbortSignal,
): Promise<unknown> => {
  const writes = changes.map(({ entry, json }) => ({
    $type: `com.atproto.repo.applyWrites#${actionOf(entry)}`,
    ...splitPath(entry.path),
    ...(json === undefined ? {} : { value: json }),
  }));
  return callXrpc(session, 'com.atproto.repo.applyWrites', { input: { repo, writes, swapCommit }, signal });
};

export interface WriteRequest {
  readonly session: Session;
  readonly repo: string;
  readonly changes: readonly Change[];
  readonly isAtomic: boolean;
  /** The commit of the host that an atomic write compares with. */
  readonly swapCommit: string | undefined;
  readonly signal: AbortSignal;
}

/** Sends one request. Never rejects: the outcome of an error says what is known about its effect. */
export const sendWrite = async (request: WriteRequest): Promise<Outcome> => {
  const { session, repo, changes, isAtomic, swapCommit, signal } = request;
  try {
    const response = await (isAtomic
      ? sendAtomic(session, repo, changes, swapCommit, signal)
      : sendOne(session, repo, changes[0]!, signal));
    return landedBy(response);
  } catch (error) {
    return outcomeOf(error);
  }
};
