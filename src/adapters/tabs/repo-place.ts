/** Where one repository lies, as far as whoever leads has to know it. */
import type { StoredRepo } from '../../core/repo/stored-records.ts';
import type { StorageKind } from '../rpc/protocol.ts';

/** A place for a repository in the storage of this browser. */
export interface RepoPlace {
  readonly name: string;
  readonly storage: StorageKind;
  /**
   * Whether the repository is still stored, asked while it is open: a browser clears the data of a site without asking
   * who has it open.
   */
  isStored?(): Promise<boolean>;
  /** Opens what is there, or with a DID makes it. */
  open(did: string | undefined): Promise<StoredRepo>;
  /**
   * Loads what opening needs, for whoever may have to open it in a hurry. Never rejects: what fails, fails again then.
   */
  prepare(): Promise<void>;
  /** Has what is open closed without any waiting that could be spared: whoever waits may be frozen. */
  hurry(): void;
}
