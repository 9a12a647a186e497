/**
 * Whose notes these are: an account that exists in this browser alone, and the key that signs its commits.
 *
 * The key lies in localStorage, where every script of this origin can read it, and goes when site data are cleared.
 * That will do for notes that nobody else relies on. An account whose signatures others trust keeps its key on its
 * server, or in hardware, and never in a page.
 */
import type { SigningKey } from 'pdsdb';
import { generateKey, importKey } from 'pdsdb';

const KEY = 'notes.signing-key';

export interface Account {
  /** Made of the public key: nobody needs to be asked for it. */
  readonly did: string;
  readonly key: SigningKey;
}

const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** The account of this browser; a new one the first time. Two tabs that open at once answer the same. */
export const openAccount = async (): Promise<Account> =>
  navigator.locks.request(KEY, () => {
    const kept = localStorage.getItem(KEY);
    const key = kept === null ? generateKey() : importKey(kept);
    if (kept === null) {
      localStorage.setItem(KEY, toHex(key.export()));
    }
    return { did: key.did(), key };
  });
