// What runs while no page of the client does: it shows what the server pushes, and a click opens the conversation that
// it is of. It keeps nothing and answers no requests of pages.

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('push', (event) => {
  const { title, body, tag, conversationId, link } = pushed(event.data);
  const shown = { body, tag, icon: './favicon.svg', data: { url: target(conversationId, link) } };
  event.waitUntil(self.registration.showNotification(title, shown));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.url));
});

/** What was pushed. Browsers want something shown for each push, also for one that says nothing. */
function pushed(data) {
  try {
    const said = data.json();
    if (typeof said?.title === 'string') return said;
  } catch {
    // Not ours.
  }
  return { title: 'Parlance' };
}

/** Where a click leads: the conversation, else a page that the product names. */
function target(conversationId, link) {
  const { scope } = self.registration;
  if (/^[0-9a-f]{24}$/.test(conversationId ?? '')) return new URL(`#/c/${conversationId}`, scope).href;
  try {
    const url = new URL(link ?? '', scope);
    if (url.protocol === 'https:' || url.origin === self.location.origin) return url.href;
  } catch {
    // No link of a product's.
  }
  return scope;
}

/** In a window of the client if there is one, else in a new one. */
async function open(url) {
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const window = windows.find((one) => one.url.startsWith(self.registration.scope));
  if (!window || !url.startsWith(self.registration.scope)) return self.clients.openWindow(url);
  // Browsers let nobody come to the front who was not clicked.
  await window.focus().catch(() => undefined);
  // One that this worker does not control yet cannot be led anywhere.
  return window.navigate(url).catch(() => self.clients.openWindow(url));
}
