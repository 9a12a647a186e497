/** A device of an account: a copy of it, an outbox, and a session at the account's host. */
import { MemoryBlobStore } from '../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../src/core/storage/memory-block-store.ts';
import { repoOver } from '../../src/core/repo/local-repo.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { openOutbox, passwordSession, pull, resolveAccount } from '../../src/sync.ts';
import type { Account, Outbox, PasswordSession, PullResult, PushOptions, PushResult } from '../../src/sync.ts';
import type { HostedAccount, Network, Pds } from './network.ts';

export const NOTE = 'com.example.note';
export const note = (text: string, more: object = {}): Record<string, unknown> => ({ $type: NOTE, text, ...more });
export const pathOf = (rkey: string): string => `${NOTE}/${rkey}`;

export interface Device {
  readonly repo: Repo;
  readonly outbox: Outbox;
  readonly session: PasswordSession;
  pull(): Promise<PullResult>;
  push(options?: Partial<PushOptions>): Promise<PushResult>;
}

/** Returns the account as its DID document describes it. */
export const accountOf = (network: Network, { did }: HostedAccount): Promise<Account> =>
  resolveAccount(did, { plcUrl: network.plcUrl, allowPrivate: true });

export const deviceOver = (repo: Repo, hosted: HostedAccount, account: Account): Device => {
  const { handle: identifier, password } = hosted;
  const session = passwordSession({ service: account.pds, identifier, password, allowPrivate: true });
  const outbox = openOutbox(repo);
  const pullAll = (): Promise<PullResult> => pull(repo, { account, allowPrivate: true, blobs: false });
  return {
    repo,
    outbox,
    session,
    pull: pullAll,
    push: (options = {}) => outbox.push({ session, pull: pullAll, ...options }),
  };
};

export const memoryDevice = (hosted: HostedAccount, account: Account): Device => {
  const { did } = hosted;
  const repo = repoOver({ did, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
  return deviceOver(repo, hosted, account);
};

/** Returns the records of the host by path: their CIDs. */
export const hostRecords = async (pds: Pds, did: string, collection = NOTE): Promise<Map<string, string>> => {
  const found = new Map<string, string>();
  let cursor = '';
  do {
    const query = new URLSearchParams({ repo: did, collection, limit: '100', ...(cursor === '' ? {} : { cursor }) });
    const response = await fetch(`${pds.directUrl}/xrpc/com.atproto.repo.listRecords?${query}`);
    const page = (await response.json()) as { cursor?: string; records: { uri: string; cid: string }[] };
    for (const { uri, cid } of page.records) {
      found.set(uri.slice(`at://${did}/`.length), cid);
    }
    cursor = page.cursor ?? '';
  } while (cursor !== '');
  return found;
};

interface Sequencer {
  requestSeqRange(range: { readonly limit: number }): Promise<
    {
      readonly type: string;
      readonly evt: { readonly ops?: readonly { readonly path: string; readonly cid: unknown }[] };
    }[]
  >;
}

/** Returns the operations of all commits of a host, each as its path and CID. */
export const operationsOf = async (pds: Pds): Promise<string[]> => {
  const { sequencer } = (pds as unknown as { readonly ctx: { readonly sequencer: Sequencer } }).ctx;
  const events = await sequencer.requestSeqRange({ limit: 1_000_000 });
  return events.flatMap(({ evt }) =>
    (evt.ops ?? []).map(({ path, cid }) => `${path} ${cid ? String(cid) : undefined}`),
  );
};
