/** Keys that an account had before, from the log of the PLC directory. https://web.plc.directory/api/redoc */
import type { IdentityOptions } from './identity-options.ts';
import { plcLog } from './plc-log.ts';

interface LogEntry {
  readonly operation?: { readonly verificationMethods?: { readonly atproto?: unknown }; readonly signingKey?: unknown };
}

/**
 * Returns the `did:key`s that have signed the account's commits, the newest first, without `current`. Returns none for
 * a DID that has no log, and if the log cannot be read.
 */
export const previousKeys = async (did: string, current: string, options: IdentityOptions): Promise<string[]> => {
  if (!did.startsWith('did:plc:')) {
    return [];
  }
  let entries: unknown;
  try {
    entries = await plcLog(did, 'audit', options);
  } catch {
    options.signal?.throwIfAborted();
    return [];
  }
  const keys = (Array.isArray(entries) ? (entries as readonly LogEntry[]) : [])
    .map((entry) => entry?.operation?.verificationMethods?.atproto ?? entry?.operation?.signingKey)
    .filter((key): key is string => typeof key === 'string' && key.startsWith('did:key:'));
  return [...new Set(keys.reverse())].filter((key) => key !== current);
};
