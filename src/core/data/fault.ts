/** One fault that a check of a tree or of a repository finds. */
import type { RepoErrorCode } from '../errors.ts';
import type { CID } from './cid.ts';

/** One fault in one place. */
export interface Fault {
  readonly code: RepoErrorCode;
  readonly message: string;
  /** `collection/rkey`, or the name of a ref. */
  readonly path?: string | undefined;
  readonly cid?: CID | undefined;
}
