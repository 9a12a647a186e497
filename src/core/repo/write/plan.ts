/** Checks an operation and encodes its record, before anything is read or written. */
import type { TidClock } from '../../syntax/tid.ts';
import { recordPath } from '../path.ts';
import type { Validate } from '../record.ts';
import { encodeRecord } from '../record.ts';
import type { WriteOp } from '../repo.ts';
import type { PlannedOp } from './apply.ts';

export interface Planner {
  /** Makes the keys of new records. */
  readonly clock: TidClock;
  readonly validate: Validate | undefined;
}

/**
 * @throws {TypeError} when the action is not valid.
 * @throws {RepoError} `InvalidCollection`, `InvalidRecordKey`; as `encodeRecord`.
 */
export const planOp = ({ clock, validate }: Planner, op: WriteOp): PlannedOp => {
  const { action, collection, swapRecord } = op;
  if (action !== 'create' && action !== 'update' && action !== 'delete') {
    throw new TypeError(`the action is not valid: use create, update or delete; action=${String(action).slice(0, 80)}`);
  }
  const path = recordPath(collection, action === 'create' ? (op.rkey ?? clock.next()) : op.rkey);
  return action === 'delete'
    ? { action, path, swapRecord }
    : { action, path, record: encodeRecord(collection, op.value, validate), swapRecord };
};
