/** Faults of a tree or a repository. */
import type { RepoErrorCode } from '../errors.ts';
import type { CID } from './cid.ts';

/** One fault at one place. */
export interface Fault {
  readonly code: RepoErrorCode;
  readonly message: string;
  /** `collection/rkey`, or the name of a ref. */
  readonly path?: string | undefined;
  readonly cid?: CID | undefined;
}
