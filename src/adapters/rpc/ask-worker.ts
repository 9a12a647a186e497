/** Requests to a worker that have one reply, with streams of files in either direction. */
import type { WorkerLike } from './connection.ts';
import { connect } from './connection.ts';
import type { FolderFile } from './files.ts';
import { offerFiles, takeFiles } from './files.ts';
import type { Locks } from './locks.ts';
import { Peer } from './peer.ts';
import type { FromPage, WorkerRequest } from './protocol.ts';
import type { WireStream } from './streams.ts';

type SingleRequest = Exclude<WorkerRequest, { readonly do: 'open' }>;

interface Asked {
  readonly peer: Peer<object, object>;
  readonly reply: Promise<unknown>;
  close(): void;
}

/** @param request Makes the request, which may name a stream that the peer offers. */
const begin = (
  worker: WorkerLike,
  request: (peer: Peer<object, object>) => SingleRequest,
  locks: Locks | undefined,
): Asked => {
  const send = (message: FromPage): void => connection.port.postMessage(message);
  const peer = new Peer<object, object>((message) => send({ kind: 'message', generation: 0, message }), {});
  let resolve = (_: unknown): void => {};
  let reject = (_: unknown): void => {};
  const reply = new Promise<unknown>((...both) => ([resolve, reject] = both));
  const connection = connect(worker, request(peer), locks, {
    onMessage(message) {
      if (message.kind === 'message') {
        peer.receive(message.message);
      } else if (message.kind === 'done') {
        resolve(message.value);
      }
    },
    onEnd(error) {
      reject(error);
      peer.end(error);
    },
  });
  return {
    peer,
    reply,
    close() {
      send({ kind: 'close' });
      connection.close();
      peer.end(new Error('the request has ended'));
    },
  };
};

/** Asks a worker for something that has one reply. */
export const ask = async (worker: WorkerLike, request: SingleRequest, locks: Locks | undefined): Promise<unknown> => {
  const { reply, close } = begin(worker, () => request, locks);
  try {
    return await reply;
  } finally {
    close();
  }
};

type FolderRequest<D extends string> = Omit<SingleRequest & { readonly do: D }, 'files'>;

/** The files of a repository in the worker. */
export async function* takeFromWorker(
  worker: WorkerLike,
  request: FolderRequest<'exportFolder'>,
  locks: Locks | undefined,
): AsyncGenerator<FolderFile, void, undefined> {
  const { peer, reply, close } = begin(worker, () => request, locks);
  try {
    yield* takeFiles(peer, peer.take((await reply) as WireStream, { waits: true }));
  } finally {
    close();
  }
}

/** Gives files to the worker, and returns its reply. */
export const giveToWorker = async (
  worker: WorkerLike,
  request: FolderRequest<'importFolder'>,
  files: AsyncIterable<FolderFile> | Iterable<FolderFile>,
  locks: Locks | undefined,
): Promise<unknown> => {
  const { reply, close } = begin(worker, (peer) => ({ ...request, files: offerFiles(peer, files) }), locks);
  try {
    return await reply;
  } finally {
    close();
  }
};
