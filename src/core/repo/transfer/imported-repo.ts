import type { ImportResult } from '../long-work.ts';
import type { Repo } from '../repo.ts';

/** A repository that was made from a CAR, open. */
export interface ImportedRepo extends Repo {
  /** What the import found: counts, faults of records, missing blobs. */
  readonly imported: ImportResult;
}

/** The repository with the result of its import. */
export const importedRepo = (repo: Repo, imported: ImportResult): ImportedRepo => Object.assign(repo, { imported });
