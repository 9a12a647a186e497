/** The worker's end of the entry point: each page, or each request of a page, comes on a port of its own. */
import { RepoError } from '../../core/errors.ts';
import type { PageMethods, WorkerMethods } from '../rpc/connection.ts';
import { toErrorData } from '../rpc/error-data.ts';
import type { BackupFile } from '../../core/storage/backup-file.ts';
import { fromWireFiles, toWireFiles } from '../rpc/files.ts';
import type { Locks } from '../origin/locks.ts';
import { Peer } from '../rpc/peer.ts';
import type { FromPage, ToPage, WantedStorage, WorkerGreeting } from '../rpc/protocol.ts';
import { PROTOCOL_VERSION, channelName, memberLock } from '../rpc/protocol.ts';
import type { Channel } from './leader.ts';
import { Member } from './member.ts';
import type { RepoPlace } from './repo-place.ts';

/** The repositories of this browser. */
export interface RepoPlaces {
  /** Where a repository is, or where a new one goes. */
  find(name: string, storage: WantedStorage, create: boolean): Promise<RepoPlace>;
  list(): Promise<readonly unknown[]>;
  /** Removes a repository that is open nowhere. */
  remove(name: string): Promise<void>;
  /** The files of a repository that is open nowhere. */
  exportFolder(name: string, storage: WantedStorage): Promise<AsyncIterable<BackupFile>>;
  importFolder(name: string, storage: WantedStorage, files: AsyncIterable<BackupFile>): Promise<unknown>;
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
  /** Works for a page. Resolves when the page has no more use of it, and rejects with what ends it before. */
  const serve = (id: string, port: MessagePort): Promise<void> =>
    new Promise((resolve, reject) => {
      const post = (message: ToPage): void => port.postMessage(message);
      let member: Member | undefined;
      const page = new Peer<PageMethods, WorkerMethods>((message) => post({ kind: 'worker', message }), {
        list: () => places.list(),
        remove: (name) => places.remove(name),
        exportFolder: async (name, storage) => toWireFiles(await places.exportFolder(name, storage)),
        importFolder: (name, storage, files) => places.importFolder(name, storage, fromWireFiles(files)),
        async open({ name, did, storage, waitMs }) {
          const place = await places.find(name, storage, did !== undefined);
          const channel = openChannel(channelName(place.storage, name));
          await new Promise<void>((resolveOpen) => {
            const onAttached = (generation: number): void => {
              void page.call('attached', [generation]);
              resolveOpen();
            };
            const onSilence = (): void => void page.call('silent', []);
            const parts = { id, place, did, waitMs, locks, channel, port, onAttached, onSilence, onFailure: reject };
            member = new Member(parts);
          });
        },
        leave: async () => member?.leave(),
        return: async () => member?.return(),
        async close() {
          try {
            await member?.close();
          } finally {
            // After the reply.
            setTimeout(resolve);
          }
        },
      });
      port.onmessage = ({ data }: MessageEvent<FromPage>) => {
        // The member takes the others.
        if (data.kind === 'worker') {
          page.receive(data.message);
        }
      };
      post({ kind: 'begun' });
    });

  return {
    receive({ data, ports }) {
      const [port] = ports;
      if (!isGreeting(data) || port === undefined) {
        return;
      }
      const fail = (error: unknown): void =>
        port.postMessage({ kind: 'failed', error: toErrorData(error) } satisfies ToPage);
      if (data.pdsdb !== PROTOCOL_VERSION) {
        const versions = `page=${String(data.pdsdb)} worker=${PROTOCOL_VERSION}`;
        fail(
          new RepoError(
            'StorageFailed',
            `the page and its worker are of different versions: reload all tabs; ${versions}`,
          ),
        );
        return;
      }
      // The failure is sent before the lock is released, so that the page does not take it for the end of the worker.
      locks.request(memberLock(data.request), {}, () => serve(data.request, port).catch(fail)).catch(fail);
    },
  };
};
