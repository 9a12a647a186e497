/** Copies of an account for tests. A write to the repository stands for a pull of a change by another device. */
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../src/core/storage/memory-block-store.ts';
import { repoOver } from '../../../src/core/repo/local-repo.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import type { Outbox } from '../../../src/sync.ts';

export const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz';
export const NOTE = 'com.example.note';

export const memoryCopy = (): Repo =>
  repoOver({ did: DID, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });

export const note = (text: string): { $type: string; text: string } => ({ $type: NOTE, text });

/** Returns the texts of a list by key, with what is pending. */
export const textsIn = async (outbox: Outbox, ...list: Parameters<Outbox['list']>): Promise<string[]> => {
  const texts: string[] = [];
  for await (const { rkey, value, pending } of outbox.list(...list)) {
    texts.push(`${rkey} ${String(value['text'])}${pending === undefined ? '' : ` ${pending}`}`);
  }
  return texts;
};

/** Returns the state of each pending path, in short. */
export const statesIn = async (outbox: Outbox): Promise<string[]> =>
  (await outbox.pending()).map(({ rkey, action, state }) => `${rkey} ${action} ${state}`);
