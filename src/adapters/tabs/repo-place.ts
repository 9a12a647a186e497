/** Where the repositories of a browser are stored, as far as its workers have to know. */
import type { StoredRepo } from '../../core/repo/stored-records.ts';
import type { BackupFile } from '../../core/storage/backup-file.ts';
import type { StorageKind, WantedStorage } from '../rpc/protocol.ts';

export interface RepoPlaces {
  /** Where a repository is, or where a new one goes. */
  find(name: string, storage: WantedStorage, create: boolean): Promise<RepoPlace>;
  list(): Promise<readonly unknown[]>;
  /** Removes a repository that is open nowhere. */
  remove(name: string): Promise<void>;
  /** The files of a repository that is open nowhere. */
  exportFolder(name: string, storage: WantedStorage): Promise<AsyncIterable<BackupFile>>;
  importFolder(name: string, storage: WantedStorage, files: AsyncIterable<BackupFile>): Promise<unknown>;
}

/** A place for a repository. */
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
