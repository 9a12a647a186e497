/** Named imports: a repeated call returns the result of the first one. The note of the request has the counts. */
import { BoundedList } from '../../data/bounded-list.ts';
import type { CID } from '../../data/cid.ts';
import { cidToText, parseCid } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import type { BlockChange } from '../../storage/ports.ts';
import type { ChangeList, ImportResult } from '../long-work.ts';
import type { RecordChange } from '../repo.ts';
import type { RepoParts } from '../open-parts.ts';
import { partsIn } from '../open-parts.ts';
import { readCommit } from '../read/head.ts';
import { changesBetween } from '../read/history.ts';
import { readRequests } from '../write/requests.ts';
import type { WriteRequest } from '../write/write-request.ts';

/** The result of an import, before its changes can be iterated over. */
export interface StoredImport extends Omit<ImportResult, 'changes'> {
  readonly changes: ChangeList;
}

const NO_COMMIT = '-';

const firstChanges = async (
  parts: RepoParts,
  change: BlockChange,
  from: CID | undefined,
  to: CID,
): Promise<readonly RecordChange[]> => {
  const changes = new BoundedList<RecordChange>();
  for await (const one of changesBetween(partsIn(parts, change), from, to)) {
    changes.add(one);
    if (changes.isFull) {
      break;
    }
  }
  return changes.items;
};

/**
 * Returns the result of an earlier import with the same name.
 * @throws {RepoError} `OutcomeUnknown` when it reported more than counts.
 */
export const findPastImport = async (
  parts: RepoParts,
  change: BlockChange,
  request: WriteRequest,
): Promise<StoredImport | undefined> => {
  const past = await (await readRequests(change)).find(request);
  if (past === undefined) {
    return undefined;
  }
  if (past.note === '' || past.commit === undefined) {
    throw new RepoError(
      'OutcomeUnknown',
      `the import has happened, but its faults and kept work are no longer known: run verify, and see the refs; did=${parts.did} request=${request.id}`,
    );
  }
  const [before = NO_COMMIT, ...counts] = past.note.split(' ');
  const [blocks = 0, created = 0, updated = 0, deleted = 0, unchanged = 0, missingBlobs = 0] = counts.map(Number);
  const { cid: head, rev } = past.commit;
  const previous = before === NO_COMMIT ? undefined : parseCid(before);
  const [from, to] = [previous && (await readCommit(change, previous)).data, (await readCommit(change, head)).data];
  const first = await firstChanges(parts, change, from, to);
  const changes = { first, count: created + updated + deleted, from, to };
  const counted = { blocks, created, updated, deleted, unchanged, missingBlobs };
  return { head, rev, previous, changes, ...counted, faults: [], faultCount: 0 };
};

/** Records the result of a named import. Part of the change that makes its head. */
export const addPastImport = async (
  change: BlockChange,
  request: WriteRequest | undefined,
  result: StoredImport,
): Promise<void> => {
  if (request === undefined) {
    return;
  }
  const { blocks, created, updated, deleted, unchanged, missingBlobs, previous, faultCount, kept, replaced } = result;
  const before = previous === undefined ? NO_COMMIT : cidToText(previous);
  const isPlain = faultCount === 0 && kept === undefined && replaced === undefined;
  const note = isPlain ? [before, blocks, created, updated, deleted, unchanged, missingBlobs].join(' ') : '';
  await (await readRequests(change)).add(change, request, result.rev, note);
};
