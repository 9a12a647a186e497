/** A repository over the files of one database and a place for blobs: the same steps on every platform. */
import type { Repo } from '../core/repo.ts';
import { repoOver } from '../core/repo/local-repo.ts';
import type { Signer } from '../core/signer.ts';
import type { BlobStore } from '../core/store.ts';
import type { DatabaseFiles } from '../wasm/database-files.ts';
import { loadSqlite } from '../wasm/sqlite.ts';
import { createSqliteBlockStore, openSqliteBlockStore } from './sqlite-block-store.ts';

/** What a platform gives. */
export interface RepoPlatform {
  /** The compiled WebAssembly of sql.js. */
  wasm(): Promise<WebAssembly.Module>;
  /** Opens the database's files and takes their lock. */
  openFiles(): Promise<DatabaseFiles>;
  /** Opens the place for blobs; called while the lock is held. */
  openBlobs(): Promise<BlobStore>;
}

/**
 * Makes (`did` given) or opens a repository. The lock comes first, and if anything fails it is let go of again.
 * @throws {RepoError} as the platform, {@link createSqliteBlockStore} and {@link openSqliteBlockStore} do.
 */
export const sqliteRepo = async (
  platform: RepoPlatform,
  { did, signer }: { readonly did?: string | undefined; readonly signer?: Signer | undefined },
): Promise<Repo> => {
  const sqlite = await loadSqlite(await platform.wasm());
  const files = await platform.openFiles();
  const store = await openDatabase(files, () => {
    const database = sqlite.open(files);
    return did === undefined ? openSqliteBlockStore(database, files) : createSqliteBlockStore(database, files, did);
  });
  try {
    return repoOver({ did: store.did, store, blobs: await platform.openBlobs(), signer });
  } catch (error) {
    await store.close();
    throw error;
  }
};

/** From the store on, the files are the store's to close; until then they are ours. Closing them twice does nothing. */
const openDatabase = async <T>(files: DatabaseFiles, open: () => Promise<T>): Promise<T> => {
  try {
    return await open();
  } catch (error) {
    await files.close();
    throw error;
  }
};
