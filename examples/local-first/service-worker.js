/* global FILES, VERSION */
// Keeps the files of the page, so that it opens with no network. VERSION and FILES come from the build (offline.ts).

const PREFIX = 'notes-';
const CACHE = PREFIX + VERSION;

addEventListener('install', (event) => {
  // All of them or none: a page of one version never meets a worker of another.
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
});

addEventListener('activate', (event) => {
  const removeOld = async () => {
    const names = await caches.keys();
    await Promise.all(
      names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
    );
    await clients.claim();
  };
  event.waitUntil(removeOld());
});

addEventListener('fetch', (event) => {
  if (event.request.method !== 'GET') {
    return;
  }
  const answer = async () => {
    const cache = await caches.open(CACHE);
    return (
      (await cache.match(event.request, { ignoreSearch: event.request.mode === 'navigate' })) ?? fetch(event.request)
    );
  };
  event.respondWith(answer());
});
