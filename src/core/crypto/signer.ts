/** Signs commits. The keys of `@atproto/crypto` and `@atcute/crypto` have this interface. */
export interface Signer {
  /** Returns the signature over the SHA-256 of `bytes`: 64 bytes (r, then s), with a low s. */
  sign(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
  /** Returns the public key as a `did:key`. If the method is present, each signature is checked before it is stored. */
  did?(): string;
}
