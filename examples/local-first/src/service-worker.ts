/// <reference types="vite/client" />
/** Caches the files of the page for use without a network. */

/** Resolves when they are cached or cannot be cached. The notes work in both cases. Does nothing under `vite dev`. */
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
    // Missing in some private windows. The page shows that it is not cached.
    console.warn('The page is not kept for offline use.', error);
  }
};
