/** Single calls to a worker, each with its own connection. */
import type { WorkerLike, WorkerMethods } from './connection.ts';
import { connect } from './connection.ts';
import type { BackupFile } from '../../core/storage/backup-file.ts';
import type { WireFile } from './files.ts';
import { fromWireFiles } from './files.ts';
import type { Locks } from '../origin/locks.ts';
import type { WantedStorage } from './protocol.ts';

/** Asks a worker for something that has one reply. */
export const ask = async <K extends 'importFolder' | 'list' | 'remove'>(
  worker: WorkerLike,
  locks: Locks | undefined,
  method: K,
  ...params: Parameters<WorkerMethods[K]>
): Promise<ReturnType<WorkerMethods[K]>> => {
  const connection = connect(worker, locks);
  try {
    return await connection.worker.call(method, params);
  } finally {
    connection.close();
  }
};

/** The files of a repository in the worker. */
export async function* takeFromWorker(
  worker: WorkerLike,
  locks: Locks | undefined,
  name: string,
  storage: WantedStorage,
): AsyncGenerator<BackupFile, void, undefined> {
  const connection = connect(worker, locks);
  try {
    yield* fromWireFiles(connection.worker.open('exportFolder', [name, storage]) as AsyncGenerator<WireFile>);
  } finally {
    connection.close();
  }
}
