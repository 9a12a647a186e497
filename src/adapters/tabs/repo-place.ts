/** Where one repository is stored, as far as its leader has to know. */
import type { StoredRepo } from '../../core/repo/stored-records.ts';
import type { StorageKind } from '../rpc/protocol.ts';

/** A place for a repository in the storage of this browser. */
export interface RepoPlace {
  readonly name: string;
  readonly storage: StorageKind;
  /**
   * Whether the repository is still stored. Called while it is open: a browser clears the data of a site also then.
   */
  isStored?(): Promise<boolean>;
  /** Opens the repository, or makes it if a DID is given. */
  open(did: string | undefined): Promise<StoredRepo>;
  /**
   * Loads the code that opening needs, so that a failover is quick. Never rejects: opening fails with the same error.
   */
  prepare(): Promise<void>;
  /** Has the files close without any wait that can be spared: the worker may be frozen before. */
  hurry(): void;
}
