/** What signs a commit. The keys of `@atproto/crypto` and `@atcute/crypto` fit as they stand. */
export interface Signer {
  /** The signature over the SHA-256 of `bytes`: 64 bytes (r, then s), with a low s. */
  sign(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
  /** The public key as a `did:key`; with it, what was signed is checked before it is kept. */
  did?(): string;
}
