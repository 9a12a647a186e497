import type { KeySource } from '../../core/crypto/key-source.ts';

/**
 * A key in a form that crosses the wire: a DID document goes as its JSON, because it may hold what cannot be cloned.
 * The other end reads it: a page does not have to bring along the curves.
 */
export const wireKey = (key: KeySource | undefined): KeySource | undefined =>
  typeof key === 'object' && key !== null && !Array.isArray(key) ? JSON.stringify(key) : key;
