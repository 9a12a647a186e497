/**
 * Named writes. A caller that lost the result of a named write can repeat it, and it is applied once. A meta value
 * lists the last ones and changes in the same transaction as the head.
 */
import type { CID } from '../../data/cid.ts';
import { cidToText, parseCid } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import type { CommitRef } from '../repo.ts';
import type { BlockChange, StoreReader } from '../../storage/ports.ts';
import type { Tid } from '../../syntax/tid.ts';
import { ZERO_TID } from '../../syntax/tid.ts';
import { REQUESTS } from '../store-names.ts';
import type { WriteRequest } from './write-request.ts';

/**
 * The first line of the meta value is the rev up to which requests were dropped. Then follows one line per request,
 * oldest first.
 *
 * This many lines of about 30 bytes fit into one page of SQLite, so a commit changes one page more. Results are lost
 * when a tab dies during its writes, and few writes of a tab run at once.
 */
export const MAX_REQUESTS = 128;

const NONE_DROPPED = '-';
/**
 * Suffix of the rev of a write that made no commit and set a meta value. With it, the token sorts after the rev of the
 * unchanged head and before every later rev.
 */
const STAYED = '=';
/** Prefix of the note of a write whose commit is not in the list of commits. */
const AT_COMMIT = '@';

/** Returns the note of such a write. */
export const atCommit = (cid: CID): string => `${AT_COMMIT}${cidToText(cid)}`;

const REQUEST_ID = /^[A-Za-z0-9._-]{1,40}$/;

/** The result of an earlier named write. */
export interface PastWrite {
  /** The commit that it made, or the unchanged head; `undefined` if there was no head. */
  readonly commit: CommitRef | undefined;
  readonly stayed: boolean;
  readonly note: string;
}

/** The last named writes at the start of the transaction. */
export interface Requests {
  /** Returns the earlier write with this name, or `undefined` if there was certainly none. */
  find(request: WriteRequest): Promise<PastWrite | undefined>;
  /** Records a write. Call it in the transaction that makes the write. */
  add(change: BlockChange, request: WriteRequest, rev: string, note?: string): Promise<void>;
  /** Records a write that made no commit. `rev` is the rev of the head, if any. */
  addStayed(change: BlockChange, request: WriteRequest, rev: string | undefined, note?: string): Promise<void>;
}

const unknown = (id: string): RepoError =>
  new RepoError(
    'OutcomeUnknown',
    `the result of the first call is no longer known: read the repository, then write under a new id; request=${id}`,
  );

/** Reads the requests. Call it on a change, because changes run one at a time. */
export const readRequests = async (store: StoreReader): Promise<Requests> => {
  const [droppedUpTo = NONE_DROPPED, ...lines] = ((await store.meta(REQUESTS)) ?? NONE_DROPPED).split('\n');

  const add = async (change: BlockChange, { id }: WriteRequest, rev: string, note = ''): Promise<void> => {
    const kept = [...lines, `${rev} ${id} ${note}`.trimEnd()];
    const dropped = kept.splice(0, Math.max(0, kept.length - MAX_REQUESTS));
    const last = dropped.at(-1);
    const floor = last === undefined ? droppedUpTo : last.slice(0, last.indexOf(' '));
    await change.setMeta(REQUESTS, [floor, ...kept].join('\n'));
  };

  return {
    async find({ id, again }) {
      const line = lines.find((one) => one.split(' ', 2)[1] === id);
      if (line === undefined) {
        // Revs only increase: a write that was first requested at `since` has a later rev.
        if (again !== undefined && droppedUpTo !== NONE_DROPPED && droppedUpTo > (again.since ?? '')) {
          throw unknown(id);
        }
        return undefined;
      }
      const token = line.slice(0, line.indexOf(' '));
      const stayed = token.endsWith(STAYED);
      const rev = stayed ? token.slice(0, -STAYED.length) : token;
      const note = line.slice(token.length + id.length + 2);
      const cid = note.startsWith(AT_COMMIT) ? parseCid(note.slice(AT_COMMIT.length)) : await store.commit(rev as Tid);
      if (cid === undefined && rev !== ZERO_TID) {
        throw unknown(id);
      }
      return { commit: cid && { cid, rev }, stayed, note };
    },
    add,
    addStayed: (change, request, rev = ZERO_TID, note = '') => add(change, request, `${rev}${STAYED}`, note),
  };
};

/** Sorts after every rev. */
const ALL_DROPPED = '~';

/** Drops all requests. Part of a change that lowers the head's rev. A repeated write then has an unknown outcome. */
export const forgetRequests = (change: BlockChange): Promise<void> => change.setMeta(REQUESTS, ALL_DROPPED);

/** @throws {TypeError} unless the id is valid. Ids are stored in lines, so they have no spaces or line breaks. */
export const assertRequest = (request: WriteRequest | undefined): void => {
  if (request !== undefined && !REQUEST_ID.test(request.id)) {
    throw new TypeError(
      `the id of a request is not valid: use 1 to 40 of A-Z a-z 0-9 . _ -; id=${String(request.id).slice(0, 80)}`,
    );
  }
};
