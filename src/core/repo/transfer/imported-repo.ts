import type { ImportResult } from '../long-work.ts';
import type { Repo } from '../repo.ts';

/** An open repository that was created from a CAR. */
export interface ImportedRepo extends Repo {
  /** The result of the import: counts, faults of records, missing blobs. */
  readonly imported: ImportResult;
}

/** Returns the repository with the result of its import. */
export const importedRepo = (repo: Repo, imported: ImportResult): ImportedRepo => Object.assign(repo, { imported });
