import { expect } from 'vitest';
import type { HostedAccount } from './network.ts';

/** Milliseconds until a change must have reached the host. */
const TIMEOUT = 30_000;

/** Returns the texts of the notes at the host, newest first. */
export const notesAtHost = async ({ did, agent }: HostedAccount): Promise<string[]> => {
  const { data } = await agent.com.atproto.repo['listRecords']!({ repo: did, collection: 'com.example.note' });
  return (data.records as { value: { text: string } }[]).map(({ value }) => value.text);
};

/** Waits until the host has these notes, and no others. */
export const hostHas = async (account: HostedAccount, notes: readonly string[]): Promise<void> => {
  await expect.poll(() => notesAtHost(account), { timeout: TIMEOUT, interval: 100 }).toEqual(notes);
};
