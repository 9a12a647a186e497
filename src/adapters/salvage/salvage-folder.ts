/** A salvage where the damaged database lies: the new one takes its place, and it is kept beside it. */
import { RepoError } from '../../core/errors.ts';
import { toStorageError } from '../../core/storage-error.ts';
import type { DatabaseFiles } from '../../wasm/database-files.ts';
import { loadSqlite } from '../../wasm/sqlite.ts';
import type { ParentFolder } from '../folders/backup-folder.ts';
import { discardFolder, siblingOf } from '../folders/backup-folder.ts';
import { contentOf } from '../file-content.ts';
import { createSqliteBlockStore } from '../sqlite-block-store.ts';
import type { Findings, SalvageOptions, SalvageReport } from './salvage.ts';
import { fillStore, findRows } from './salvage.ts';

/** What a platform gives. */
export interface SalvagePlatform {
  wasm(): Promise<WebAssembly.Module>;
  /** The repository's own folder. */
  readonly folder: ParentFolder;
  /** Opens the damaged files and takes their lock. */
  openFiles(): Promise<DatabaseFiles>;
  /** Makes the files of a new database in a folder of this name inside the repository's. */
  createFiles(name: string): Promise<DatabaseFiles>;
}

/** Colons are no characters of a name on Windows. */
const timeForName = (): string => new Date().toISOString().replaceAll(':', '-');

/** Copies a file of the database, durably. */
const keep = async (folder: ParentFolder, file: DatabaseFiles['main'], name: string): Promise<void> => {
  const writer = await folder.create(name);
  try {
    const reader = contentOf(file).stream().getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      await writer.write(part.value);
    }
    await writer.sync();
  } finally {
    await writer.close();
  }
};

const build = async (platform: SalvagePlatform, name: string, files: DatabaseFiles, findings: Findings, options: SalvageOptions): Promise<void> => {
  const sqlite = await loadSqlite(await platform.wasm());
  const fresh = await platform.createFiles(name);
  try {
    const store = await createSqliteBlockStore(sqlite.open(fresh), fresh, findings.did);
    try {
      await fillStore(store, files, findings, options);
    } finally {
      await store.close();
    }
  } finally {
    await fresh.close();
  }
};

/** The damaged database is kept first; only then does the new one take its name. */
const replace = async ({ folder }: SalvagePlatform, name: string, files: DatabaseFiles): Promise<string> => {
  const keptAs = `pds.db.damaged-${timeForName()}`;
  try {
    await keep(folder, files.main, keptAs);
    if (files.wal.getSize() > 0) {
      await keep(folder, files.wal, `${keptAs}-wal`);
    }
    await folder.syncFolder('.');
    // The log of the old database would be folded into the new one.
    for (const file of [files.wal, files.journal]) {
      file.truncate(0);
      file.flush();
    }
    await folder.rename(`${name}/pds.db`, 'pds.db');
    await folder.syncFolder('.');
    return keptAs;
  } catch (error) {
    throw toStorageError(error, 'putting the salvaged database in its place');
  }
};

/**
 * Reads what can be read of a damaged `pds.db`, page by page, into a new one that takes its place. The damaged one is kept
 * beside it, with its log. What is missing afterwards is for `verify` to say and for `repair` to see to.
 * @throws {RepoError} `Corrupt` when nothing says whose repository it was; `RepoNotFound`, `Locked`, `StorageFull`,
 *   `StorageFailed`. The damaged database is as it was then, or stands there with a copy of it and of its log beside it.
 */
export const salvageFolder = async (platform: SalvagePlatform, options: SalvageOptions = {}): Promise<SalvageReport> => {
  const { dryRun = false } = options;
  const files = await platform.openFiles();
  try {
    if (files.main.getSize() === 0 && files.wal.getSize() === 0) {
      throw new RepoError('RepoNotFound', 'the database is empty');
    }
    const findings = findRows(files, options);
    const { did, commits, refs, meta, blocks, damagedBlocks } = findings;
    let keptAs: string | undefined;
    if (!dryRun) {
      const name = siblingOf('salvage', 'tmp');
      try {
        await build(platform, name, files, findings, options);
        keptAs = await replace(platform, name, files);
      } finally {
        await discardFolder(platform.folder, name);
      }
    }
    return { did, dryRun, blocks, commits: commits.size, refs: refs.size, meta: meta.size, damagedBlocks, keptAs };
  } finally {
    await files.close();
  }
};
