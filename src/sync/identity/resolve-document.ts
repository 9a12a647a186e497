/** DID documents, of did:plc and did:web. https://atproto.com/specs/did */
import type { DidDocument } from '@atcute/identity';
import type { AtprotoDid } from '@atcute/lexicons/syntax';
import {
  AtprotoWebDidDocumentResolver,
  CompositeDidDocumentResolver,
  DocumentNotFoundError,
  PlcDidDocumentResolver,
} from '@atcute/identity-resolver';
import { isError } from '../../core/data/platform-values.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import { createSafeFetch } from '../http/safe-fetch.ts';
import type { IdentityOptions } from './identity-options.ts';

/** A deleted did:plc has the status 410 Gone. */
const GONE = 410;

/** Returns the first error of this library in a chain of causes. */
export const repoErrorIn = (error: unknown): RepoError | undefined => {
  for (let cause = error; isError(cause); cause = cause.cause) {
    if (isRepoError(cause)) {
      return cause;
    }
  }
  return undefined;
};

const statusIn = (error: unknown): unknown =>
  isError(error) && isError(error.cause) && 'status' in error.cause ? error.cause.status : undefined;

/**
 * Returns the document of a DID.
 * @throws {RepoError} as `resolveAccount`.
 */
export const resolveDocument = async (did: string, options: IdentityOptions): Promise<DidDocument> => {
  const { plcUrl, signal } = options;
  const safeFetch = createSafeFetch(options);
  const resolver = new CompositeDidDocumentResolver({
    methods: {
      plc: new PlcDidDocumentResolver({ fetch: safeFetch, ...(plcUrl === undefined ? {} : { apiUrl: plcUrl }) }),
      web: new AtprotoWebDidDocumentResolver({ fetch: safeFetch }),
    },
  });
  let doc: DidDocument;
  try {
    doc = await resolver.resolve(did as AtprotoDid, { ...(signal === undefined ? {} : { signal }), noCache: true });
  } catch (error) {
    signal?.throwIfAborted();
    const known = repoErrorIn(error);
    if (known !== undefined) {
      throw known;
    }
    if (error instanceof DocumentNotFoundError) {
      throw new RepoError(
        'DidNotFound',
        `no document has this DID: check the DID, and for a did:plc the PLC directory; did=${did}`,
      );
    }
    if (statusIn(error) === GONE) {
      throw new RepoError('DidDeactivated', `the DID is deactivated, its account is deleted; did=${did}`);
    }
    throw new RepoError('HostFailed', `the DID document could not be read: try again later; did=${did}`, {
      cause: error,
    });
  }
  if (doc.id !== did) {
    throw new RepoError(
      'DidNotFound',
      `the document that was found is of another DID: check the server that sent it; did=${did} id=${doc.id}`,
    );
  }
  return doc;
};
