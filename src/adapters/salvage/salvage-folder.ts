/** Salvages a database in its folder: the new database replaces the damaged one, which is kept under another name. */
import { forEachChunk } from '../../core/data/streams.ts';
import { JOURNAL_SUFFIX, MAIN_NAME, WAL_SUFFIX } from '../../core/storage/layout.ts';
import { concatBytes } from '../../core/data/bytes.ts';
import { RepoError } from '../../core/errors.ts';
import type { DatabaseFiles } from '../../wasm/vfs/database-files.ts';
import { loadSqlite } from '../../wasm/database/sqlite.ts';
import type { ParentFolder } from '../folders/place.ts';
import { discardFolder } from '../folders/backup.ts';
import { io, siblingOf } from '../folders/place.ts';
import { contentOf } from '../sqlite/file-content.ts';
import { createSqliteBlockStore } from '../sqlite/open-block-store.ts';
import type { ReadableFile } from '../sqlite/file-format/readable-file.ts';
import { readableFile } from '../sqlite/file-format/readable-file.ts';
import { isMarkedAsReplaced, markAsReplaced } from './damaged-file.ts';
import type { DamagedFiles, Findings, SalvageOptions, SalvageReport } from './salvage.ts';
import { fillStore, findRows } from './salvage.ts';

/** What a platform provides. */
export interface SalvagePlatform {
  wasm(): Promise<WebAssembly.Module>;
  /** The repository's own folder. */
  readonly folder: ParentFolder;
  /** Opens the damaged files and takes their lock. */
  openFiles(): Promise<DatabaseFiles>;
  /** Creates the files of a new database in a subfolder of this name. */
  createFiles(name: string): Promise<DatabaseFiles>;
}

/** Without colons, which Windows does not allow in a name. */
const timeForName = (): string => new Date().toISOString().replaceAll(':', '-');

/** Copies a file of the database, durably. */
const keep = async (folder: ParentFolder, file: DatabaseFiles['main'], name: string): Promise<void> => {
  const writer = await folder.create(name);
  try {
    await forEachChunk(contentOf(file).stream(), (chunk) => writer.write(chunk));
    await writer.sync();
  } finally {
    await writer.close();
  }
};

const KEPT = /^pds\.db\.damaged-[0-9TZ.-]+$/;
const TEMPORARY = /^salvage\.tmp-[0-9a-f]+$/;

const namesIn = async (folder: ParentFolder, pattern: RegExp): Promise<string[]> => {
  const names: string[] = [];
  for await (const name of folder.names('.')) {
    if (pattern.test(name)) {
      names.push(name);
    }
  }
  return names.sort();
};

const readWhole = async (folder: ParentFolder, name: string): Promise<ReadableFile> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of folder.read(name)) {
    chunks.push(chunk.slice());
  }
  const bytes = concatBytes(chunks);
  return {
    getSize: () => bytes.length,
    read(buffer, { at }) {
      const found = bytes.subarray(at, at + buffer.length);
      buffer.set(found);
      return found.length;
    },
  };
};

/** The damaged files, and the name of their copy if an earlier salvage made one. */
interface Damaged extends DamagedFiles {
  readonly keptAs: string | undefined;
}

/**
 * Finds the damaged files. An interrupted salvage has copied them and may have emptied the WAL: then the copy of the
 * WAL is read.
 */
const findDamaged = async ({ folder }: SalvagePlatform, files: DatabaseFiles): Promise<Damaged> => {
  const [main, wal] = [files.main, files.wal].map((file) => readableFile(file, 'reading the damaged database')) as [
    ReadableFile,
    ReadableFile,
  ];
  if (main.getSize() === 0 && wal.getSize() === 0) {
    throw new RepoError('RepoNotFound', 'cannot salvage: the database is empty. Import a CAR into a new repository');
  }
  const keptAs = isMarkedAsReplaced(main) ? (await namesIn(folder, KEPT)).at(-1) : undefined;
  if (keptAs === undefined || wal.getSize() > 0 || (await folder.entry(`${keptAs}-wal`)) === undefined) {
    return { main, wal, keptAs };
  }
  return { main, wal: await readWhole(folder, `${keptAs}-wal`), keptAs };
};

const build = async (
  platform: SalvagePlatform,
  name: string,
  files: DamagedFiles,
  findings: Findings,
  options: SalvageOptions,
): Promise<void> => {
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

/**
 * Copies the damaged database, then renames the new one to its name. The old WAL and journal must be empty before the
 * rename, or SQLite would apply them to the new database. But the old database must not open without its WAL, or
 * commits would be missing silently. So the old database is marked before its WAL is emptied. Until the rename, opening
 * then rejects with `Corrupt`, and another salvage continues.
 */
const replace = async (
  { folder }: SalvagePlatform,
  name: string,
  files: DatabaseFiles,
  keptBefore: string | undefined,
): Promise<string> => {
  const keptAs = keptBefore ?? `${MAIN_NAME}.damaged-${timeForName()}`;
  if (keptBefore === undefined) {
    await keep(folder, files.main, keptAs);
    for (const [file, suffix] of [
      [files.wal, WAL_SUFFIX],
      [files.journal, JOURNAL_SUFFIX],
    ] as const) {
      if (file.getSize() > 0) {
        await keep(folder, file, `${keptAs}${suffix}`);
      }
    }
    await folder.syncFolder('.');
    markAsReplaced(files.main);
  }
  for (const file of [files.wal, files.journal]) {
    file.truncate(0);
    file.flush();
  }
  await folder.rename(`${name}/${MAIN_NAME}`, MAIN_NAME);
  await folder.syncFolder('.');
  return keptAs;
};

const discardEarlier = async ({ folder }: SalvagePlatform): Promise<void> => {
  for (const name of await namesIn(folder, TEMPORARY)) {
    await discardFolder(folder, name);
  }
};

/**
 * Rebuilds a damaged `pds.db` from every page that can be read. The damaged database is kept beside it, with its WAL.
 * The next salvage continues an interrupted one. Afterwards, `verify` finds missing content, and `repair` handles it.
 * @throws {RepoError} `Corrupt` if no readable page names the account; `RepoNotFound`, `Locked`, `StorageFull`,
 *   `StorageFailed`. The damaged database is then still in place.
 */
export const salvageFolder = async (
  platform: SalvagePlatform,
  options: SalvageOptions = {},
): Promise<SalvageReport> => {
  const { dryRun = false } = options;
  const files = await platform.openFiles();
  try {
    const { keptAs: keptBefore, ...damaged } = await io('reading the damaged database', findDamaged(platform, files));
    const findings = findRows(damaged, options);
    const { did, commits, refs, meta, blocks, damagedBlocks } = findings;
    let keptAs: string | undefined;
    if (!dryRun) {
      await io('removing the files of an earlier salvage', discardEarlier(platform));
      const name = siblingOf('salvage', 'tmp');
      try {
        await build(platform, name, damaged, findings, options);
        keptAs = await io('replacing the damaged database', replace(platform, name, files, keptBefore));
      } finally {
        await discardFolder(platform.folder, name);
      }
    }
    return { did, dryRun, blocks, commits: commits.size, refs: refs.size, meta: meta.size, damagedBlocks, keptAs };
  } finally {
    await files.close();
  }
};
