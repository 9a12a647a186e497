/** The worker that has the files of the repositories. */

/** A function and not a Worker, so that a hidden page can release the files at once. */
export const worker = (): Worker =>
  new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'notes' });
