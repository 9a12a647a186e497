/** The changes of an import, which are listed when they are read. */
import { MAX_REPORTED } from '../../data/bounded-list.ts';
import { cidToText } from '../../data/cid.ts';
import { isRepoError, RepoError } from '../../errors.ts';
import type { ChangeList, ImportChanges } from '../long-work.ts';
import type { Repo } from '../repo.ts';
import type { RecordChange } from '../tree.ts';

/** Most changes that the result of a dry run keeps, because its blocks are not stored. They take about 10 MB. */
export const MAX_DRY_CHANGES = 16_384;

export const maxFirstChanges = (isDryRun: boolean | undefined): number =>
  isDryRun === true ? MAX_DRY_CHANGES : MAX_REPORTED;

async function* iterate({ first, count, from, to }: ChangeList, diff: Repo['diff']): AsyncGenerator<RecordChange> {
  if (first.length === count || to === undefined) {
    yield* first;
    if (first.length < count) {
      throw new RepoError(
        'LimitExceeded',
        `a dry run keeps only its first changes: import the CAR to list all; kept=${first.length} of ${count}`,
      );
    }
    return;
  }
  try {
    yield* diff(from, to);
  } catch (cause) {
    throw isRepoError(cause, 'RefNotFound') || isRepoError(cause, 'BlockNotFound')
      ? new RepoError(
          'BlockNotFound',
          'gc has removed a tree of the import: read its changes before gc, or keep its previous head with setRef; ' +
            `from=${from && cidToText(from)} to=${cidToText(to)}`,
          { cause },
        )
      : cause;
  }
}

/** A class, so that a result compares by its fields and can be cloned. */
class LazyChanges implements ImportChanges {
  readonly first: ChangeList['first'];
  readonly count: number;
  readonly from: ChangeList['from'];
  readonly to: ChangeList['to'];
  readonly #diff: Repo['diff'];

  constructor({ first, count, from, to }: ChangeList, diff: Repo['diff']) {
    this.first = first;
    this.count = count;
    this.from = from;
    this.to = to;
    this.#diff = diff;
  }

  [Symbol.asyncIterator](): AsyncGenerator<RecordChange> {
    return iterate(this, this.#diff);
  }
}

/** @param diff `Repo.diff` of the repository that has imported. */
export const importChanges = (list: ChangeList, diff: Repo['diff']): ImportChanges => new LazyChanges(list, diff);
