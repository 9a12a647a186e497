/** The page. It runs commands of a test, itself or in a module worker. */
import { commands } from './commands.ts';
import type { CommandName } from './commands.ts';

/** The functions that a test calls in the page. Arguments and results are JSON. */
declare global {
  var runInBrowser: (where: 'page' | 'worker', command: CommandName, args: string) => Promise<string>;
}

const pending = new Map<number, (result: { result?: string; error?: string }) => void>();
let worker: Worker | undefined;
let count = 0;

const startWorker = (): Worker => {
  const started = new Worker('worker.js', { type: 'module' });
  started.onmessage = ({ data }: MessageEvent<{ id: number; result?: string; error?: string }>) => {
    pending.get(data.id)?.(data);
    pending.delete(data.id);
  };
  started.onerror = (event) => {
    pending.forEach((settle) => settle({ error: `the worker failed: ${event.message}` }));
    pending.clear();
  };
  return started;
};

globalThis.runInBrowser = async (where, command, args) => {
  if (where === 'page') {
    return JSON.stringify((await commands[command](JSON.parse(args))) ?? null);
  }
  worker ??= startWorker();
  const id = ++count;
  const settled = new Promise<{ result?: string; error?: string }>((resolve) => pending.set(id, resolve));
  worker.postMessage({ id, command, args });
  const { result, error } = await settled;
  if (error !== undefined) {
    throw new Error(error);
  }
  return result ?? 'null';
};
