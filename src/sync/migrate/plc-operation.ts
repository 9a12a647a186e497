/** The operation of the PLC directory that moves an account to another host. https://web.plc.directory/spec/v0.1/did-plc */
import { base64url } from 'multiformats/bases/base64';
import type { Signer } from '../../core/crypto/signer.ts';
import { encodeCbor } from '../../core/data/cbor-encode.ts';
import { CODEC_DAG_CBOR, cidOf } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import type { IdentityOptions } from '../identity/identity-options.ts';
import { plcLog } from '../identity/plc-log.ts';
import type { Session } from '../http/xrpc.ts';
import { callXrpc } from '../http/xrpc.ts';

/** What a host recommends for the DID documents of its accounts. */
export interface Credentials {
  readonly rotationKeys: readonly string[];
  readonly alsoKnownAs: readonly string[];
  readonly verificationMethods: Readonly<Record<string, string>>;
  readonly services: Readonly<Record<string, { readonly type: string; readonly endpoint: string }>>;
}

/** An operation with its signature. */
export type SignedOperation = Readonly<Record<string, unknown>>;

/** Returns what the new host recommends. */
export const recommendedCredentials = async (to: Session, signal?: AbortSignal): Promise<Credentials> => {
  const nsid = 'com.atproto.identity.getRecommendedDidCredentials';
  const found = ((await callXrpc(to, nsid, { signal })) ?? {}) as Partial<Credentials>;
  const { rotationKeys, alsoKnownAs, verificationMethods, services } = found;
  if (!Array.isArray(rotationKeys) || !Array.isArray(alsoKnownAs) || !verificationMethods || !services) {
    throw new RepoError('HostFailed', `the new host returned no credentials: try again later; method=${nsid}`);
  }
  return { rotationKeys, alsoKnownAs, verificationMethods, services };
};

/** Asks the old host for a signature. It sends a token by mail first. */
export const signAtHost = async (
  from: Session,
  credentials: Credentials,
  plcToken: () => Promise<string>,
  signal?: AbortSignal,
): Promise<SignedOperation> => {
  await callXrpc(from, 'com.atproto.identity.requestPlcOperationSignature', { isProcedure: true, signal });
  const token = await plcToken();
  const nsid = 'com.atproto.identity.signPlcOperation';
  const signed = (await callXrpc(from, nsid, { input: { token, ...credentials }, signal })) as
    | { readonly operation?: SignedOperation }
    | undefined;
  if (typeof signed?.operation !== 'object' || signed.operation === null) {
    throw new RepoError('HostFailed', `the old host returned no operation: try again later; method=${nsid}`);
  }
  return signed.operation;
};

/** Signs with a rotation key of the account, which stays in the document. */
export const signWithKey = async (
  did: string,
  credentials: Credentials,
  rotationKey: Signer,
  options: IdentityOptions,
): Promise<SignedOperation> => {
  const own = rotationKey.did?.();
  if (own === undefined) {
    throw new RepoError('InvalidSigner', 'the rotation key has no did(): pass a key with its public key');
  }
  const prev = cidOf(CODEC_DAG_CBOR, encodeCbor(await plcLog(did, 'last', options))).toString();
  const operation = {
    type: 'plc_operation',
    rotationKeys: [own, ...credentials.rotationKeys.filter((key) => key !== own)],
    alsoKnownAs: credentials.alsoKnownAs,
    verificationMethods: credentials.verificationMethods,
    services: credentials.services,
    prev,
  };
  const signature = await rotationKey.sign(encodeCbor(operation));
  return { ...operation, sig: base64url.baseEncode(signature) };
};
