/// <reference types="vite/client" />
/** Keeps the files of the page for when there is no network. */

/** Resolves when they are kept, or cannot be: the notes work either way. Does nothing under `vite dev`. */
export const keepForOffline = async (): Promise<void> => {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) {
    return;
  }
  try {
    await navigator.serviceWorker.register('./service-worker.js');
    await navigator.serviceWorker.ready;
    if (navigator.serviceWorker.controller === null) {
      await new Promise((resolve) =>
        navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }),
      );
    }
  } catch (error) {
    // Not in every private window. The page says by itself that it is not kept.
    console.warn('The page is not kept for offline use.', error);
  }
};
