/** `fetch` for hosts that a stranger names: public https hosts only, few redirects, a time limit. */
import { RepoError } from '../../core/errors.ts';
import { assertPublicUrl, parseUrl } from './public-url.ts';

/** Milliseconds until a host must have sent its headers. */
export const REQUEST_TIMEOUT = 10_000;
/** Milliseconds without a byte after which a body counts as lost. */
export const STALL_TIMEOUT = 30_000;
/** Most redirects of a request to an account's host. A relay sends a reader of a repository to its host. */
export const MAX_REDIRECTS = 3;

/** How a network is used. */
export interface NetworkOptions {
  /** Default: the platform's. */
  readonly fetch?: typeof fetch | undefined;
  /** Also accepts `http:`, IP addresses and names of a local network. Default: `false`. */
  readonly allowPrivate?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until a host must have sent its headers. Default: 10,000. */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds without a byte after which a body counts as lost. Default: 30,000. */
  readonly stallMs?: number | undefined;
  /** Milliseconds before a call that failed is repeated. Doubles with each attempt. Default: 500. */
  readonly retryMs?: number | undefined;
}

export interface SafeFetchOptions extends NetworkOptions {
  /** Redirects to follow. Default: none; a redirect is then an error. */
  readonly redirects?: number | undefined;
}

const unreachable = (url: URL, why: string, cause?: unknown): RepoError =>
  new RepoError('HostUnreachable', `${why}: check the connection and try again; host=${url.host}`, { cause });

/** Ends a body that is silent for too long. Calls `ended` once, when the body ends in any way. */
const watchBody = (
  response: Response,
  url: URL,
  { abort, ended, stallMs }: { readonly abort: AbortController; readonly ended: () => void; readonly stallMs: number },
): Response => {
  if (response.body === null) {
    ended();
    return response;
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silent = (): void => abort.abort(unreachable(url, `the host sent nothing for ${stallMs / 1000} s`));
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        timer = setTimeout(silent, stallMs);
        try {
          const { done, value } = await reader.read();
          if (done) {
            ended();
            controller.close();
          } else {
            controller.enqueue(value);
          }
        } catch (error) {
          ended();
          controller.error(
            abort.signal.aborted ? abort.signal.reason : unreachable(url, 'the connection broke', error),
          );
        } finally {
          clearTimeout(timer);
        }
      },
      async cancel(reason) {
        clearTimeout(timer);
        ended();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  const { status, statusText, headers } = response;
  const watched = new Response(body, { status, statusText, headers });
  Object.defineProperty(watched, 'url', { value: response.url });
  return watched;
};

const isRedirect = ({ status, type }: Response): boolean =>
  type === 'opaqueredirect' || [301, 302, 303, 307, 308].includes(status);

/** One request, without following a redirect. */
const request = async (url: URL, init: RequestInit, options: SafeFetchOptions): Promise<Response> => {
  const { fetch: fetchBy = fetch, timeoutMs = REQUEST_TIMEOUT, signal = init.signal ?? undefined } = options;
  signal?.throwIfAborted();
  const abort = new AbortController();
  const stop = (): void => abort.abort(signal?.reason);
  signal?.addEventListener('abort', stop);
  const ended = (): void => signal?.removeEventListener('abort', stop);
  const timer = setTimeout(
    () => abort.abort(unreachable(url, `the host did not respond within ${timeoutMs / 1000} s`)),
    timeoutMs,
  );
  try {
    const response = await fetchBy(url, { redirect: 'manual', ...init, signal: abort.signal });
    return watchBody(response, url, { abort, ended, stallMs: options.stallMs ?? STALL_TIMEOUT });
  } catch (error) {
    ended();
    throw abort.signal.aborted ? abort.signal.reason : unreachable(url, 'no connection to the host', error);
  } finally {
    clearTimeout(timer);
  }
};

/** A page cannot read where a redirect leads. It lets the browser follow, and checks where that ended. */
const followInBrowser = async (url: URL, init: RequestInit, options: SafeFetchOptions): Promise<Response> => {
  const response = await request(url, { ...init, redirect: 'follow', credentials: 'omit' }, options);
  assertPublicUrl(parseUrl(response.url), options.allowPrivate);
  return response;
};

/**
 * Returns a `fetch` that checks each URL, and each redirect, before it sends a request. A redirect is followed without
 * `Authorization`, and only for requests without a body. Cookies are never sent.
 *
 * It rejects with `UnsafeHost` for a URL or redirect that is not allowed, and with `HostUnreachable` when no connection
 * is made, no header arrives in `timeoutMs`, or a body breaks or is silent for 30 s.
 */
export const createSafeFetch = (options: SafeFetchOptions): typeof fetch => {
  const { redirects = 0, allowPrivate } = options;
  return async (input, init = {}) => {
    let url = parseUrl(typeof input === 'object' && 'url' in input ? input.url : input);
    let next: RequestInit = { credentials: 'omit', ...init };
    for (let hop = 0; ; hop++) {
      assertPublicUrl(url, allowPrivate);
      const response = await request(url, next, options);
      if (!isRedirect(response)) {
        return response;
      }
      await response.body?.cancel();
      const isSimple = init.body === undefined || init.body === null;
      if (hop >= redirects || !isSimple) {
        throw new RepoError(
          'UnsafeHost',
          `the host redirects the request, which is not followed here: use its final address; url=${url.href.slice(0, 200)}`,
        );
      }
      const headers = new Headers(next.headers);
      headers.delete('authorization');
      next = { ...next, headers };
      const location = response.headers.get('location');
      if (location === null) {
        return followInBrowser(url, next, options);
      }
      url = parseUrl(location, url);
    }
  };
};
