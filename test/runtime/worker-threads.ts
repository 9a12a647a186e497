/** Threads that hold a repository's files, in Node and Bun. They run the script of the process. */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { DatabaseFiles } from '../../src/wasm/vfs/database-files.ts';
import type { HoldingThread } from './hold-lock.ts';

export const openInWorker =
  (script: string) =>
  async (folder: string): Promise<HoldingThread> => {
    const worker = new Worker(new URL(script), { workerData: folder });
    await once(worker, 'message');
    return {
      async terminate() {
        await worker.terminate();
      },
    };
  };

/** Whether this is such a thread. It opens the files and holds them until it is terminated. */
export const heldByThread = async (open: (folder: string) => Promise<DatabaseFiles>): Promise<boolean> => {
  if (isMainThread) {
    return false;
  }
  const files = await open(workerData as string);
  parentPort!.postMessage('open');
  // The files stay in use, and the thread alive.
  setInterval(() => void files.main.getSize(), 1000);
  return true;
};
