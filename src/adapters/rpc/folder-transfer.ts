/** Folders out of a worker and into it, on the page's side. */
import type { WorkerLike } from './connection.ts';
import { connect } from './connection.ts';
import type { FolderFile } from './folder-files.ts';
import { giveFolder, takeFolder } from './folder-files.ts';
import type { Locks } from './locks.ts';
import type { FolderMethods, Message, WorkerRequest } from './protocol.ts';
import { Peer } from './peer.ts';

type FolderRequest = WorkerRequest & { readonly do: 'exportFolder' | 'importFolder' };

/** What is at the page's end of it. */
interface PageEnd {
  receive(message: Message): void;
  end(error: unknown): void;
}

/** A worker at a folder: what it says goes to `page`, and what it answers at the end is `done`. */
const atFolder = (
  worker: WorkerLike,
  request: FolderRequest,
  locks: Locks | undefined,
  page: () => PageEnd,
): { readonly send: (message: Message) => void; readonly done: Promise<unknown>; readonly close: () => void } => {
  let close = (): void => {};
  let send = (_: Message): void => {};
  const done = new Promise<unknown>((resolve, reject) => {
    const connection = connect(worker, request, locks, {
      onMessage(message) {
        if (message.kind === 'message') {
          page().receive(message.message);
        } else if (message.kind === 'done') {
          resolve(message.value);
        }
      },
      onEnd(error) {
        reject(error as Error);
        page().end(error);
      },
    });
    close = () => {
      connection.send({ kind: 'close' });
      connection.close();
    };
    send = (message) => connection.send({ kind: 'message', generation: 0, message });
  });
  return { send: (message) => send(message), done, close };
};

/** The files of a repository in the worker. */
export async function* takeFromWorker(
  worker: WorkerLike,
  request: FolderRequest,
  locks: Locks | undefined,
): AsyncGenerator<FolderFile, void, undefined> {
  const { send, done, close } = atFolder(worker, request, locks, () => peer);
  const peer = new Peer<FolderMethods, object>(send, {});
  try {
    await done;
    yield* takeFolder(peer);
  } finally {
    close();
  }
}

/** Gives files to the worker; answers what it says of them. */
export const giveToWorker = async (
  worker: WorkerLike,
  request: FolderRequest,
  files: AsyncIterable<FolderFile> | Iterable<FolderFile>,
  locks: Locks | undefined,
): Promise<unknown> => {
  const { send, done, close } = atFolder(worker, request, locks, () => peer);
  const peer = new Peer<object, FolderMethods>(send, giveFolder(files));
  try {
    return await done;
  } finally {
    close();
  }
};
