/** Holds a repository's files in Deno. */
import { openDenoFiles } from '../../../src/adapters/files/deno-files.ts';
import type { HoldingThread } from '../hold-lock.ts';
import { holdLock, linesOf } from '../hold-lock.ts';
import { denoTestApi } from './deno-test-api.ts';

/** The messages between a worker and its page. */
interface Port {
  readonly name?: string;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(value: unknown): void;
  terminate(): void;
}

const { Worker } = globalThis as unknown as {
  Worker: new (url: string, options: { readonly type: 'module'; readonly name: string }) => Port;
};
const scope = globalThis as unknown as Port;
const THREAD = 'holds the files';
/** Deno has no event for the end of a terminated thread. It takes some milliseconds. */
const ENDING_MS = 500;

const openInThread = async (folder: string): Promise<HoldingThread> => {
  const worker = new Worker(import.meta.url, { type: 'module', name: THREAD });
  const response = (): Promise<void> => new Promise((resolve) => (worker.onmessage = () => resolve()));
  await response();
  worker.postMessage(folder);
  await response();
  return {
    async terminate() {
      worker.terminate();
      await new Promise((resolve) => setTimeout(resolve, ENDING_MS));
    },
  };
};

if (scope.name === THREAD) {
  scope.onmessage = async ({ data }) => {
    const files = await openDenoFiles(String(data));
    scope.postMessage('open');
    setInterval(() => void files.main.getSize(), 1000);
  };
  scope.postMessage('ready');
} else {
  await holdLock(linesOf(denoTestApi.stdin.readable), (folder) => openDenoFiles(folder), openInThread);
}
