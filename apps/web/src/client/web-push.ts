// Being told while no page is open: this browser's subscription at its push service, and the server's knowledge of it.
// Where the server has no web push, or the browser cannot, nothing happens.
import type { Rest } from '../parlance';

const WORKER = './sw.js';

const canPush = () => 'serviceWorker' in navigator && 'PushManager' in window && isSecureContext;

/** Tells the server of this browser, which may subscribe for it. The page must be allowed to notify. */
export async function subscribePush(rest: Rest): Promise<void> {
  if (!canPush()) return;
  const key = await rest.pushKey();
  if (!key) return;
  await navigator.serviceWorker.register(WORKER);
  const { pushManager } = await navigator.serviceWorker.ready;
  let subscription = await pushManager.getSubscription();
  if (subscription && !isFor(subscription, key)) {
    // The server has another key than it had: its messages would not be taken.
    await subscription.unsubscribe();
    subscription = null;
  }
  subscription ??= await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  await rest.subscribePush(subscription.toJSON());
}

/** Nothing is pushed to this browser any more; the server hears of it if it can be asked. */
export async function unsubscribePush(rest?: Rest): Promise<void> {
  if (!canPush()) return;
  const registration = await navigator.serviceWorker.getRegistration(WORKER);
  const subscription = await registration?.pushManager.getSubscription();
  if (!subscription) return;
  await subscription.unsubscribe();
  // Without it the server learns from the push service that nobody is there.
  await rest?.unsubscribePush(subscription.endpoint);
}

function isFor({ options }: PushSubscription, key: string): boolean {
  const known = options?.applicationServerKey;
  if (!known) return true;
  const text = btoa(String.fromCharCode(...new Uint8Array(known)));
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') === key;
}
