/** Makes each durable operation once. After each step, lists what was not synced. */
import type { Repo } from '../../src/core/repo/repo.ts';
import type { SyncLog } from './sync-log.ts';

export interface SyncEntryPoint {
  createRepo(folder: string, options: { readonly did: string }): Promise<Repo>;
  openRepo(folder: string): Promise<Repo>;
  saveBackup(repo: Repo, folder: string): Promise<unknown>;
  restoreBackup(backup: string, folder: string): Promise<unknown>;
  salvageRepo(folder: string): Promise<unknown>;
}

const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz';
const THING = 'com.example.thing';

/** The syncs during the scenario. Each of them is necessary. */
export const SYNCS: readonly { readonly name: string; readonly pattern: RegExp }[] = [
  { name: 'the database', pattern: /\/pds\.db$/ },
  { name: 'the log', pattern: /\/repo\/pds\.db-wal$/ },
  { name: 'the folder', pattern: /\/above\/repo$/ },
  { name: 'the folder above', pattern: /\/above$/ },
  { name: 'the folder of the blobs', pattern: /\/repo\/blobs$/ },
  { name: 'the folder of a blob', pattern: /\/repo\/blobs\/ba$/ },
  { name: 'a blob', pattern: /\/repo\/blobs\/[^/]+\.tmp-put$/ },
  { name: 'a file of a backup', pattern: /\/backup\.tmp-[^/]+\/pds\.db$/ },
  { name: 'the manifest of a backup', pattern: /\/backup\.tmp-[^/]+\/manifest\.json$/ },
  { name: 'the folder of a backup', pattern: /\/backup\.tmp-[^/]+$/ },
  { name: 'the folder that backups lie in', pattern: /\/run-[^/]+$/ },
  { name: 'what a salvage keeps', pattern: /\/restored\/pds\.db\.damaged-[^/]+$/ },
];

/** Returns one line for each path that was not synced after a step. `root` is an existing folder. */
export const syncScenario = async (
  { createRepo, openRepo, saveBackup, restoreBackup, salvageRepo }: SyncEntryPoint,
  root: string,
  log: SyncLog,
): Promise<string[]> => {
  const found: string[] = [];
  const step = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
    const result = await run();
    found.push(...log.unsynced(root).map((what) => `${name}: ${what}`));
    return result;
  };
  const folder = `${root}/above/repo`;
  const repo = await step('create', () => createRepo(folder, { did: DID }));
  await step('put', () => repo.put(THING, 'one', { $type: THING }));
  const blob = await step('put a blob', () => repo.putBlob(new Uint8Array(100_000).fill(7), { mimeType: 'image/png' }));
  await step('mention it', () => repo.put(THING, 'two', { $type: THING, blob }));
  await step('back up', () => saveBackup(repo, `${root}/backup`));
  await step('delete', () => repo.delete(THING, 'two'));
  await step('collect', () => repo.gc({ keep: 1, blobs: true, blobAge: 0 }));
  await step('close', () => repo.close());
  await step('restore', () => restoreBackup(`${root}/backup`, `${root}/restored`));
  await step('salvage', () => salvageRepo(`${root}/restored`));
  await step('open and close', async () => (await openRepo(`${root}/restored`)).close());
  return found;
};
