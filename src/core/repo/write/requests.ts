/**
 * Writes with a name, so that whoever lost the answer of one can ask again and does not write twice. The last ones are
 * kept in a meta value, which changes in the same transaction as the head.
 */
import type { CID } from '../../data/cid.ts';
import { cidToText, parseCid } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import type { CommitRef } from '../repo.ts';
import type { BlockChange, StoreReader } from '../../storage/ports.ts';
import type { Tid } from '../../syntax/tid.ts';
import { ZERO_TID } from '../../syntax/tid.ts';
import type { WriteRequest } from './write-request.ts';

/** The meta key: a line for the rev up to which requests were forgotten, then one a request, oldest first. */
const REQUESTS = 'requests';

/**
 * With lines of about 30 bytes, so many fit a page of SQLite with the rest of its row, and a commit changes one page
 * more. Answers are lost when a tab dies; what was under way then are a few writes a tab.
 */
export const MAX_REQUESTS = 128;

const NOTHING_FORGOTTEN = '-';
/**
 * Ends the rev of a write that made no commit and set a meta value: the rev of the head that stayed. It is greater than
 * that rev and less than every later one.
 */
const STAYED = '=';
/** Begins the note of a write whose commit is not in the list. */
const AT_COMMIT = '@';

/** The note of such a write. */
export const atCommit = (cid: CID): string => `${AT_COMMIT}${cidToText(cid)}`;

const REQUEST_ID = /^[A-Za-z0-9._-]{1,40}$/;

/** What a named write did. */
export interface Landed {
  /** The commit that it made, or the head that stayed; `undefined` when there was no head. */
  readonly commit: CommitRef | undefined;
  readonly stayed: boolean;
  readonly note: string;
}

/** The last named writes, as they were when the transaction began. */
export interface Requests {
  /**
   * What an earlier write of that name did, with the note that it left; `undefined` when there was none, for certain.
   */
  landed(request: WriteRequest): Promise<Landed | undefined>;
  /** Remembers a write; part of the transaction that makes it. */
  remember(change: BlockChange, request: WriteRequest, rev: string, note?: string): Promise<void>;
  /** Remembers a write that made no commit; `rev` is that of the head, if there is one. */
  rememberStayed(change: BlockChange, request: WriteRequest, rev: string | undefined, note?: string): Promise<void>;
}

const unknown = (id: string): RepoError =>
  new RepoError(
    'OutcomeUnknown',
    `the write was asked for twice, and its first outcome is no longer known; request=${id}`,
  );

/** Reads the requests. To be called on a change, whose queue keeps others away. */
export const readRequests = async (store: StoreReader): Promise<Requests> => {
  const [forgotten = NOTHING_FORGOTTEN, ...lines] = ((await store.meta(REQUESTS)) ?? NOTHING_FORGOTTEN).split('\n');

  const remember = async (change: BlockChange, { id }: WriteRequest, rev: string, note = ''): Promise<void> => {
    const kept = [...lines, `${rev} ${id} ${note}`.trimEnd()];
    const dropped = kept.splice(0, Math.max(0, kept.length - MAX_REQUESTS));
    const last = dropped.at(-1);
    const floor = last === undefined ? forgotten : last.slice(0, last.indexOf(' '));
    await change.setMeta(REQUESTS, [floor, ...kept].join('\n'));
  };

  return {
    async landed({ id, again }) {
      const line = lines.find((one) => one.split(' ', 2)[1] === id);
      if (line === undefined) {
        // Revs only rise: a write that was asked for under `since` and happened has a later rev than that.
        if (again !== undefined && forgotten !== NOTHING_FORGOTTEN && forgotten > (again.since ?? '')) {
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
    remember,
    rememberStayed: (change, request, rev = ZERO_TID, note = '') => remember(change, request, `${rev}${STAYED}`, note),
  };
};

/** Greater than every rev. */
const ALL_FORGOTTEN = '~';

/** Forgets every write; part of a change after which revs do not only rise. One that is asked for again is unknown. */
export const forgetRequests = (change: BlockChange): Promise<void> => change.setMeta(REQUESTS, ALL_FORGOTTEN);

/** @throws {TypeError} unless the name can be one; a note is kept on its line, so that neither may break it. */
export const assertRequest = (request: WriteRequest | undefined): void => {
  if (request !== undefined && !REQUEST_ID.test(request.id)) {
    throw new TypeError('the id of a request is 1 to 40 of A-Z a-z 0-9 . _ -');
  }
};
