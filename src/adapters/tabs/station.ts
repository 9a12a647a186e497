/** The worker's end of the entry point: each request of a page comes on a port of its own. */
import { RepoError } from '../../core/errors.ts';
import { toErrorData } from '../rpc/error-data.ts';
import type { FolderFile } from '../rpc/files.ts';
import { offerFiles, takeFiles } from '../rpc/files.ts';
import type { Channel } from './leader.ts';
import type { Locks } from '../rpc/locks.ts';
import { Member } from './member.ts';
import type { FromPage, FromWorker, WantedStorage, WorkerGreeting, WorkerRequest } from '../rpc/protocol.ts';
import { PROTOCOL_VERSION, channelName, memberLock } from '../rpc/protocol.ts';
import { Peer } from '../rpc/peer.ts';
import type { RepoPlace } from './repo-place.ts';

/** The repositories of this browser. */
export interface RepoPlaces {
  /** Where a repository is, or where a new one goes. */
  find(name: string, storage: WantedStorage, create: boolean): Promise<RepoPlace>;
  list(): Promise<readonly unknown[]>;
  /** Removes a repository that is open nowhere. */
  remove(name: string): Promise<void>;
  /** The files of a repository that is open nowhere. */
  exportFolder(name: string, storage: WantedStorage): Promise<AsyncIterable<FolderFile>>;
  importFolder(name: string, storage: WantedStorage, files: AsyncIterable<FolderFile>): Promise<unknown>;
}

export interface Station {
  /** Takes a message of the worker's scope; one that is not for a repository is left to others. */
  receive(event: { readonly data: unknown; readonly ports: readonly MessagePort[] }): void;
}

const isGreeting = (data: unknown): data is WorkerGreeting =>
  typeof data === 'object' && data !== null && 'pdsdb' in data && 'request' in data;

/** Opens the channel of this name among all tabs. */
export type OpenChannel = (name: string) => Channel;

/** `BroadcastChannel` is that in browsers. */
export const openBroadcastChannel: OpenChannel = (name) => new BroadcastChannel(name) as unknown as Channel;

export interface StationParts {
  readonly places: RepoPlaces;
  readonly locks: Locks;
  readonly openChannel: OpenChannel;
}

export const createStation = ({ places, locks, openChannel }: StationParts): Station => {
  /** Resolves when the page has no more use of it, or has never had any. */
  const open = async (id: string, request: WorkerRequest & { do: 'open' }, port: MessagePort): Promise<void> => {
    const { name, did, storage, waitMs } = request;
    const place = await places.find(name, storage, did !== undefined);
    const channel = openChannel(channelName(place.storage, name));
    await new Promise<void>((onEnd) => new Member({ id, place, did, waitMs, locks, channel, port, onEnd }).join());
  };

  /** The reply to a request that has one reply. */
  const serveOnce = async (
    request: Exclude<WorkerRequest, { readonly do: 'open' }>,
    peer: Peer<object, object>,
  ): Promise<unknown> => {
    switch (request.do) {
      case 'exportFolder':
        return offerFiles(peer, await places.exportFolder(request.name, request.storage));
      case 'importFolder':
        return places.importFolder(request.name, request.storage, takeFiles(peer, peer.take(request.files)));
      case 'list':
        return places.list();
      case 'remove':
        return places.remove(request.name);
    }
  };

  /** Resolves when the page has no more use of it. Then the page or another tab that waits for its end hears of it. */
  const serve = async (member: string, request: WorkerRequest, port: MessagePort): Promise<void> => {
    const post = (message: FromWorker): void => port.postMessage(message);
    post({ kind: 'begun' });
    if (request.do === 'open') {
      return open(member, request, port);
    }
    const peer = new Peer<object, object>((message) => post({ kind: 'message', message }), {});
    const closed = new Promise<void>((resolve) => {
      port.onmessage = ({ data }: MessageEvent<FromPage>) => {
        if (data.kind === 'message') {
          peer.receive(data.message);
        } else {
          resolve();
        }
      };
    });
    post({ kind: 'done', value: await serveOnce(request, peer) });
    await closed;
    peer.end(new RepoError('Closed', 'the page has ended its request'));
  };

  return {
    receive({ data, ports }) {
      const [port] = ports;
      if (!isGreeting(data) || port === undefined) {
        return;
      }
      const { pdsdb, member, request } = data;
      const fail = (error: unknown): void =>
        port.postMessage({ kind: 'failed', error: toErrorData(error) } satisfies FromWorker);
      if (pdsdb !== PROTOCOL_VERSION) {
        fail(
          new RepoError(
            'StorageFailed',
            `the page and its worker are of different versions; page=${String(pdsdb)} worker=${PROTOCOL_VERSION}`,
          ),
        );
        return;
      }
      // The failure is sent before the lock is released, so that the page does not take it for the end of the worker.
      locks.request(memberLock(member), {}, () => serve(member, request, port).catch(fail)).catch(fail);
    },
  };
};
