/**
 * The account of the notes, which exists only in this browser, and the key that signs its commits.
 *
 * The key is in localStorage, where every script of this origin can read it, and is lost when site data are cleared.
 * This is enough for notes that nobody else relies on. An account whose signatures others trust keeps its key on its
 * server, or in hardware, and never in a page.
 */
import type { SigningKey } from 'pdsdb';
import { generateKey, importKey } from 'pdsdb';

const KEY = 'notes.signing-key';

export interface Account {
  /** The DID is made from the public key, without a server. */
  readonly did: string;
  readonly key: SigningKey;
}

const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Returns the account of this browser, or creates it. Two tabs that open at once get the same account. */
export const openAccount = async (): Promise<Account> =>
  navigator.locks.request(KEY, () => {
    const kept = localStorage.getItem(KEY);
    const key = kept === null ? generateKey() : importKey(kept);
    if (kept === null) {
      localStorage.setItem(KEY, toHex(key.export()));
    }
    return { did: key.did(), key };
  });
