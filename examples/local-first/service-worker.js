/* global FILES, VERSION */
// Caches the files of the page, so that it opens without a network. The build sets VERSION and FILES (offline.ts).

const PREFIX = 'notes-';
const CACHE = PREFIX + VERSION;

addEventListener('install', (event) => {
  // All files or none, so that a page never gets a worker of another version.
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
  // Requests to the server of an account are not for the cache.
  if (event.request.method !== 'GET' || new URL(event.request.url).origin !== location.origin) {
    return;
  }
  const respond = async () => {
    const cache = await caches.open(CACHE);
    return (
      (await cache.match(event.request, { ignoreSearch: event.request.mode === 'navigate' })) ?? fetch(event.request)
    );
  };
  event.respondWith(respond());
});
