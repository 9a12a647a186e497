/** The worker's end of the entry point: each page, or each request of a page, comes on a port of its own. */
import { ErrorBook, versionError } from '../rpc/error-data.ts';
import type { Locks } from '../origin/locks.ts';
import { Peer } from '../rpc/peer.ts';
import { PROTOCOL_VERSION } from '../rpc/protocol.ts';
import { Candidate } from './candidate.ts';
import type { OpenChannel } from './channel.ts';
import { memberLock, portChannel } from './channel.ts';
import type { ToPage, ToWorker, WorkerGreeting, WorkerMethods } from './connection.ts';
import type { RepoPlaces } from './repo-place.ts';

/** Takes a message of the worker's scope; one that is not for a repository is left to others. */
export type Station = (event: { readonly data: unknown; readonly ports: readonly MessagePort[] }) => void;

const isGreeting = (data: unknown): data is WorkerGreeting =>
  typeof data === 'object' && data !== null && 'pdsdb' in data && 'request' in data;

export interface StationParts {
  readonly places: RepoPlaces;
  readonly locks: Locks;
  readonly openChannel: OpenChannel;
}

export const createStation = ({ places, locks, openChannel }: StationParts): Station => {
  /** Works for a page. Resolves when the page has no more use of it, and rejects with what ends it before. */
  const serve = (member: string, port: MessagePort): Promise<void> =>
    new Promise((resolve, reject) => {
      const post = (message: ToPage): void => port.postMessage(message);
      const own = portChannel((message) => port.postMessage(message));
      let candidate: Candidate | undefined;
      const page = new Peer<object, WorkerMethods>(post, {
        ...places,
        async find(name, storage, did) {
          const place = await places.find(name, storage, did !== undefined);
          candidate = new Candidate({ member, place, did, locks, openChannel, page: own, onFailure: reject });
          return place.storage;
        },
        lead: async (wasOpen) => candidate?.lead(wasOpen),
        follow: async () => candidate?.follow(),
        async close() {
          try {
            await candidate?.leave();
          } finally {
            // After the reply.
            setTimeout(resolve);
          }
        },
      });
      port.onmessage = ({ data }: MessageEvent<ToWorker>) =>
        'from' in data ? own.onmessage?.({ data }) : page.receive(data);
      post({ kind: 'begun' });
    });

  return ({ data, ports }) => {
    const [port] = ports;
    if (!isGreeting(data) || port === undefined) {
      return;
    }
    const fail = (error: unknown): void =>
      port.postMessage({ kind: 'failed', error: new ErrorBook().toData(error) } satisfies ToPage);
    if (data.pdsdb !== PROTOCOL_VERSION) {
      fail(versionError(`page=${String(data.pdsdb)} worker=${PROTOCOL_VERSION}`));
      return;
    }
    // The failure is sent before the lock is released, so that the page does not take it for the end of the worker.
    locks.request(memberLock(data.request), {}, () => serve(data.request, port).catch(fail)).catch(fail);
  };
};
