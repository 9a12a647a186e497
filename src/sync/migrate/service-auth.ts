/** A token that lets a new host make an account for a DID, signed with the account's key. */
import { base64url } from 'multiformats/bases/base64';
import { parseDidKey } from '../../core/crypto/keys.ts';
import type { Signer } from '../../core/crypto/signer.ts';
import { isBytes } from '../../core/data/platform-values.ts';
import { RepoError } from '../../core/errors.ts';
import type { Session } from '../http/xrpc.ts';
import { callXrpc } from '../http/xrpc.ts';

/** The method that the token allows. */
const METHOD = 'com.atproto.server.createAccount';
/** Seconds of validity. Hosts accept at most an hour. */
const LIFETIME = 300;

const encode = (value: Uint8Array | object): string =>
  // Without the prefix of multibase.
  base64url.baseEncode(isBytes(value) ? value : new TextEncoder().encode(JSON.stringify(value)));

const ALGORITHMS = { secp256k1: 'ES256K', p256: 'ES256' } as const;

/** Signs a token with the account's key, for a host that no longer responds. https://atproto.com/specs/xrpc#inter-service-authentication-jwt */
const signToken = async (did: string, audience: string, signer: Signer): Promise<string> => {
  const didKey = signer.did?.();
  if (didKey === undefined) {
    throw new RepoError('InvalidSigner', 'the signing key has no did(): pass a key with its public key');
  }
  const header = { typ: 'JWT', alg: ALGORITHMS[parseDidKey(didKey).curve] };
  const now = Math.floor(Date.now() / 1000);
  const jti = encode(crypto.getRandomValues(new Uint8Array(16)));
  const payload = { iat: now, iss: did, aud: audience, exp: now + LIFETIME, lxm: METHOD, jti };
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${encode(await signer.sign(new TextEncoder().encode(text)))}`;
};

export interface ServiceAuthOptions {
  readonly did: string;
  /** The DID of the new host. */
  readonly audience: string;
  /** The session at the old host. */
  readonly from?: Session | undefined;
  /** The account's key, if the old host no longer responds. */
  readonly signingKey?: Signer | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns the token: from the old host, or signed here.
 * @throws {RepoError} `SignerRequired` when there is neither a session nor a key; the errors of the old host.
 */
export const serviceAuth = async (options: ServiceAuthOptions): Promise<string> => {
  const { did, audience, from, signingKey, signal } = options;
  if (signingKey !== undefined) {
    return signToken(did, audience, signingKey);
  }
  if (from === undefined) {
    throw new RepoError(
      'SignerRequired',
      `a new host needs a proof of the account: pass a session at the old host, or the signing key; did=${did}`,
    );
  }
  const params = { aud: audience, lxm: METHOD, exp: Math.floor(Date.now() / 1000) + LIFETIME };
  const nsid = 'com.atproto.server.getServiceAuth';
  const { token } = ((await callXrpc(from, nsid, { params, signal })) ?? {}) as { token?: unknown };
  if (typeof token !== 'string') {
    throw new RepoError('HostFailed', `the old host returned no token: try again later; method=${nsid}`);
  }
  return token;
};
