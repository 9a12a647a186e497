/** The operations of a commit event as changes of a tree. */
import type { CidBytes } from '../../data/cid.ts';
import { asCid } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import type { TreeChange } from '../../mst/diff.ts';
import { pathOf } from '../path.ts';
import type { CommitEvent, EventOp } from './commit-event.ts';
import { MAX_EVENT_OPS } from './commit-event.ts';

/** What the operations say, and whether all of them say what was there before. */
export interface EventChanges {
  readonly changes: readonly TreeChange[];
  /** The path of the first update or delete without `prev`. */
  readonly unknownBefore: string | undefined;
}

const malformed = (what: string, path: string): RepoError =>
  new RepoError(
    'Malformed',
    `an operation of the event ${what}: get the CAR of the repository instead; path=${path.slice(0, 80)}`,
  );

const cidIn = (value: unknown, name: string, path: string): CidBytes | undefined => {
  if (value === undefined || value === null) {
    return undefined;
  }
  const cid = asCid(value);
  if (cid === undefined) {
    throw malformed(`has a ${name} of type ${typeof value}, expected a CID`, path);
  }
  return cid.bytes as CidBytes;
};

const changeOf = ({ action, path, cid, prev }: EventOp): TreeChange => {
  if (typeof path !== 'string') {
    throw malformed('has a path that is not a string', String(path));
  }
  pathOf(path, undefined);
  const to = cidIn(cid, 'cid', path);
  const from = cidIn(prev, 'prev', path);
  if (action !== 'create' && action !== 'update' && action !== 'delete') {
    throw malformed(`has an unknown action ${JSON.stringify(action)}`, path);
  }
  if ((to === undefined) !== (action === 'delete')) {
    throw malformed(action === 'delete' ? 'is a delete and has a cid' : `is a ${action} and has no cid`, path);
  }
  if (action === 'create' && from !== undefined) {
    throw malformed('is a create and has a prev', path);
  }
  return { key: path, from, to };
};

/**
 * Returns the changes that an event names.
 * @throws {RepoError} `Malformed` when an operation contradicts itself, or two have one path; `InvalidCollection`,
 *   `InvalidRecordKey`; `LimitExceeded` with more than {@link MAX_EVENT_OPS} operations.
 */
export const changesOf = ({ ops }: CommitEvent): EventChanges => {
  if (!Array.isArray(ops)) {
    throw new RepoError(
      'Malformed',
      `the event has no list of operations: get the CAR of the repository instead; type=${typeof ops}`,
    );
  }
  if (ops.length > MAX_EVENT_OPS) {
    throw new RepoError(
      'LimitExceeded',
      `the event has too many operations: get the CAR of the repository instead; limit=${MAX_EVENT_OPS} ops=${ops.length}`,
    );
  }
  const changes = ops.map(changeOf);
  const paths = new Set<string>();
  for (const { key } of changes) {
    if (paths.has(key)) {
      throw malformed('has the path of another operation', key);
    }
    paths.add(key);
  }
  return {
    changes,
    unknownBefore: ops.find(({ action, prev }) => action !== 'create' && (prev === undefined || prev === null))?.path,
  };
};
