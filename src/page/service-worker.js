// Caches the page for visits without a network. `load` caches the files of models.
const FILES = [
  /* files */
];
const PREFIX = 'cofactor-page-';
const CACHE = `${PREFIX}/* version */`;

/** What the browser kept of a request; undefined if it refuses to look. */
const kept = async (request, options) => {
  try {
    return await caches.match(request, options);
  } catch {
    return undefined;
  }
};

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(['./', ...FILES])));
  self.skipWaiting();
});

self.addEventListener('activate', (event) => {
  const isOld = (name) => name.startsWith(PREFIX) && name !== CACHE;
  event.waitUntil(
    caches.keys().then((names) => Promise.all(names.filter(isOld).map((name) => caches.delete(name)))),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.mode === 'navigate') event.respondWith(fetch(request).catch(() => kept('./')));
  else if (new URL(request.url).pathname.includes('/assets/'))
    event.respondWith(kept(request, { ignoreVary: true }).then((found) => found ?? fetch(request)));
});
