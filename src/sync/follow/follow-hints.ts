/** Pulls at fixed times, or when a Jetstream service sends an event of the account. */
import { assertPublicUrl, parseUrl } from '../http/public-url.ts';
import { RepoError } from '../../core/errors.ts';
import { waitFor } from './backoff.ts';
import type { Following, FollowUpdate } from './follow-updates.ts';
import { Socket } from './socket.ts';

const JETSTREAM_URL = 'wss://jetstream2.us-east.bsky.network';

const openJetstream = async ({ repo, options, webSocket }: Following): Promise<Socket> => {
  const url = parseUrl('/subscribe', parseUrl(options.jetstreamUrl ?? JETSTREAM_URL));
  const asHttp = parseUrl(url.href.replace(/^ws/, 'http'));
  assertPublicUrl(asHttp, options.allowPrivate);
  url.searchParams.set('wantedDids', repo.did);
  const socket = new Socket(url.href, webSocket());
  await socket.opened();
  return socket;
};

/** Waits until something may have changed. Messages that have arrived meanwhile count as one. */
const waitForHint = async (socket: Socket, { checkMs }: Following): Promise<void> => {
  let message = await socket.next(checkMs);
  while (message !== 'idle') {
    if (message === undefined) {
      throw new RepoError('HostUnreachable', 'the Jetstream service has closed the connection: connect again');
    }
    message = await socket.next(0);
  }
};

/** The events of `jetstream` or `poll`. Ends when the signal aborts, and throws when a connection ends. */
export async function* followHints(
  following: Following,
  source: 'jetstream' | 'poll',
): AsyncGenerator<FollowUpdate, void> {
  const { signal, checkMs, enter, pullNow } = following;
  const socket = source === 'jetstream' ? await openJetstream(following) : undefined;
  const stop = (): void => socket?.close();
  signal.addEventListener('abort', stop);
  try {
    yield enter('catchingUp');
    while (!signal.aborted) {
      yield* pullNow();
      await (socket === undefined ? waitFor(checkMs, signal) : waitForHint(socket, following));
    }
  } finally {
    signal.removeEventListener('abort', stop);
    socket?.close();
  }
}
