/**
 * Repositories in folders, for Deno.
 *
 * @module
 */
import { openDenoBlobs } from './adapters/blobs/deno-blobs.ts';
import { openDenoFiles } from './adapters/files/deno-files.ts';
import { denoSqliteWasm } from './adapters/deno-sqlite-wasm.ts';
import { sqliteRepo } from './adapters/sqlite-repo.ts';
import type { Repo } from './core/repo.ts';
import type { Signer } from './core/signer.ts';
import { assertDid } from './core/syntax.ts';

export { KeyValueTable } from './adapters/key-value-table.ts';

export interface OpenOptions {
  /** Signs the commits that are made here. Without one they are not signed. */
  readonly signer?: Signer | undefined;
  /** How long to wait for another owner to let go, in milliseconds. Not at all when left out. */
  readonly waitMs?: number | undefined;
}

export interface CreateOptions extends OpenOptions {
  /** The account that the repository is of. */
  readonly did: string;
}

/**
 * Makes a repository in a folder, which is made as well if need be, and opens it. It has no commit yet.
 *
 * @example
 * ```ts
 * import { generateKey } from 'pdsdb';
 * import { createRepo } from 'pdsdb/deno';
 *
 * await using repo = await createRepo('alice', { did: 'did:web:alice.example.com', signer: generateKey() });
 * await repo.put('app.bsky.feed.post', '3jzfcijpj2z2a', { text: 'hello', createdAt: new Date().toISOString() });
 * ```
 * @throws {RepoError} `InvalidDid`; `RepoExists` when there is one; `Locked`; `StorageFull`, `StorageFailed`.
 */
export const createRepo = async (directory: string, { did, ...options }: CreateOptions): Promise<Repo> => {
  assertDid(did);
  return sqliteRepo(platform(directory, options, true), { did, signer: options.signer });
};

/**
 * Opens the repository in a folder. Its owner alone may have it open; after a crash it opens by itself.
 *
 * @example
 * ```ts
 * import { openRepo } from 'pdsdb/deno';
 *
 * await using repo = await openRepo('alice');
 * for await (const { rkey, value } of repo.list('app.bsky.feed.post', { reverse: true, limit: 10 })) {
 *   console.log(rkey, value['text']);
 * }
 * ```
 * @throws {RepoError} `RepoNotFound`; `Locked` when another process, or this one, has it open; `UnknownVersion` when a
 *   newer version of this library wrote it; `Corrupt`; `StorageFull`, `StorageFailed`.
 */
export const openRepo = (directory: string, options: OpenOptions = {}): Promise<Repo> =>
  sqliteRepo(platform(directory, options, false), { signer: options.signer });

const platform = (directory: string, { waitMs }: OpenOptions, create: boolean) => ({
  wasm: denoSqliteWasm,
  openFiles: () => openDenoFiles(directory, { create, waitMs }),
  openBlobs: () => openDenoBlobs(directory),
});
