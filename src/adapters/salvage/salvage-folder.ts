/** A salvage where the damaged database lies: the new one takes its place, and it is kept beside it. */
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
  const pieces: Uint8Array[] = [];
  for await (const piece of folder.read(name)) {
    pieces.push(piece.slice());
  }
  const bytes = concatBytes(pieces);
  return {
    getSize: () => bytes.length,
    read(buffer, { at }) {
      const found = bytes.subarray(at, at + buffer.length);
      buffer.set(found);
      return found.length;
    },
  };
};

/** What is there to be read, and what of it is kept already. */
interface Damaged extends DamagedFiles {
  readonly keptAs: string | undefined;
}

/**
 * A salvage that was cut short has kept the database, and may have emptied its log since: then the log is read where it
 * is kept.
 */
const findDamaged = async ({ folder }: SalvagePlatform, files: DatabaseFiles): Promise<Damaged> => {
  const [main, wal] = [files.main, files.wal].map((file) => readableFile(file, 'reading the damaged database')) as [
    ReadableFile,
    ReadableFile,
  ];
  if (main.getSize() === 0 && wal.getSize() === 0) {
    throw new RepoError('RepoNotFound', 'the database is empty');
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
 * The damaged database is kept first; only then does the new one take its name. The old log and journal may be there no
 * more when it does, or SQLite would copy them into the new database; and the old database may not be opened once its
 * log is gone, or commits that were in the log alone would be missing without a word. So the old one is marked before
 * its log goes: from there until the new one has its name, opening answers `Corrupt`, and another salvage goes on.
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
 * Reads what can be read of a damaged `pds.db`, page by page, into a new one that takes its place. The damaged one is
 * kept beside it, with its log. A salvage that was cut short is gone on with by the next one. What is missing
 * afterwards is for `verify` to say and for `repair` to see to.
 * @throws {RepoError} `Corrupt` when nothing says whose repository it was; `RepoNotFound`, `Locked`, `StorageFull`,
 *   `StorageFailed`. The damaged database is as it was then, or is in its place with a copy of it and of its log.
 */
export const salvageFolder = async (
  platform: SalvagePlatform,
  options: SalvageOptions = {},
): Promise<SalvageReport> => {
  const { dryRun = false } = options;
  const files = await platform.openFiles();
  try {
    const { keptAs: keptBefore, ...damaged } = await io('reading what is kept', findDamaged(platform, files));
    const findings = findRows(damaged, options);
    const { did, commits, refs, meta, blocks, damagedBlocks } = findings;
    let keptAs: string | undefined;
    if (!dryRun) {
      await io('removing what an earlier salvage has left', discardEarlier(platform));
      const name = siblingOf('salvage', 'tmp');
      try {
        await build(platform, name, damaged, findings, options);
        keptAs = await io('putting the salvaged database in its place', replace(platform, name, files, keptBefore));
      } finally {
        await discardFolder(platform.folder, name);
      }
    }
    return { did, dryRun, blocks, commits: commits.size, refs: refs.size, meta: meta.size, damagedBlocks, keptAs };
  } finally {
    await files.close();
  }
};
