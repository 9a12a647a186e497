/** Calls of XRPC methods at one service. https://atproto.com/specs/xrpc */
import { isBlob, isBytes } from '../../core/data/platform-values.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import { readBody } from './limited-body.ts';
import { createSafeFetch, MAX_REDIRECTS } from './safe-fetch.ts';
import type { NetworkOptions } from './safe-fetch.ts';
import { parseUrl } from './public-url.ts';
import { xrpcErrorOf } from './xrpc-error.ts';

/**
 * Sends a request to one service: `pathname` begins with `/xrpc/`. A session adds what the service needs to know who
 * asks. Handlers of `@atcute/client`, OAuth agents and `passwordSession` have this form. A session must send
 * nothing to another origin than that of its service.
 */
export type Session = (pathname: string, init: RequestInit) => Promise<Response>;

/** Most bytes of a JSON response. A page of 1,000 blobs has 62 kB. */
export const MAX_JSON: number = 4 * 1024 * 1024;

export interface CallOptions {
  /** An array becomes a repeated parameter. `undefined` is left out. */
  readonly params?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>> | undefined;
  /** Makes the call a procedure: a JSON value, or bytes with their `type`. */
  readonly input?: unknown;
  readonly type?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sends a procedure without an input. */
  readonly isProcedure?: boolean | undefined;
}

const query = (params: CallOptions['params'] = {}): string => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) {
        search.append(name, String(one));
      }
    }
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
};

const isRaw = (input: unknown): input is Blob | Uint8Array<ArrayBuffer> => isBytes(input) || isBlob(input);

/**
 * Calls a method and returns its response, whose body is not read yet.
 * @throws {RepoError} the host's error, as an {@link XrpcError}; `HostUnreachable`; `UnsafeHost`.
 */
export const openXrpc = async (session: Session, nsid: string, options: CallOptions = {}): Promise<Response> => {
  const { params, input, type, signal, isProcedure = input !== undefined } = options;
  const headers = new Headers(options.headers);
  if (input !== undefined) {
    headers.set('content-type', type ?? (isRaw(input) ? 'application/octet-stream' : 'application/json'));
  }
  let response: Response;
  try {
    response = await session(`/xrpc/${nsid}${query(params)}`, {
      method: isProcedure ? 'POST' : 'GET',
      headers,
      ...(input === undefined ? {} : { body: isRaw(input) ? input : JSON.stringify(input) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    signal?.throwIfAborted();
    if (isRepoError(error)) {
      throw error;
    }
    throw new RepoError('HostUnreachable', `no connection to the host: check it and try again; method=${nsid}`, {
      cause: error,
    });
  }
  if (!response.ok) {
    throw await xrpcErrorOf(nsid, response);
  }
  return response;
};

/**
 * Calls a method and returns its JSON, which is not checked. Returns `undefined` for an empty body.
 * @throws {RepoError} as {@link openXrpc}; `HostFailed` when the response is not JSON; `LimitExceeded`.
 */
export const callXrpc = async (session: Session, nsid: string, options: CallOptions = {}): Promise<unknown> => {
  const response = await openXrpc(session, nsid, options);
  const body = await readBody(response, MAX_JSON);
  if (body.length === 0) {
    return undefined;
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch (cause) {
    const type = response.headers.get('content-type') ?? '';
    throw new RepoError(
      'HostFailed',
      `the host did not return JSON: check that its address is that of a PDS; method=${nsid} type=${type.slice(0, 80)}`,
      { cause },
    );
  }
};

/** Returns a session for the public methods of a service. It follows at most three redirects. */
export const publicSession = (service: string, options: NetworkOptions = {}): Session => {
  const safeFetch = createSafeFetch({ ...options, redirects: MAX_REDIRECTS });
  const origin = parseUrl(service);
  return (pathname, init) => safeFetch(parseUrl(pathname, origin), init);
};
