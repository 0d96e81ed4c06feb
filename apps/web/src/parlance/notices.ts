// Notifications as the server keeps them: the list, its badge, marking and preferences. Events say only that something
// changed; the list is asked for again, one request at a time.
import type { ChatStore } from './chat-store';
import type { Preferences } from './contract';
import type { Rest } from './rest';

const PAGE = 20;

export class Notices {
  #running: Promise<void> | undefined;
  #again = false;

  constructor(
    readonly store: ChatStore,
    readonly rest: Rest,
  ) {}

  /** The newest page again. Calls while one is under way come to one more. */
  refresh = (): Promise<void> => {
    this.#again = true;
    this.#running ??= this.#loop().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  };

  async #loop(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const { notifications, pagination, unreadCount } = await this.rest.notifications({ limit: PAGE });
      this.store.setState({ notifications, moreNotifications: pagination.hasMore, unreadNotifications: unreadCount });
    }
  }

  /** The page after those that are here. */
  async more(): Promise<void> {
    const known = this.store.getState().notifications;
    const page = Math.floor(known.length / PAGE) + 1;
    const { notifications, pagination } = await this.rest.notifications({ limit: PAGE, page });
    const ids = new Set(known.map(({ _id }) => _id));
    const added = notifications.filter(({ _id }) => !ids.has(_id));
    this.store.setState({ notifications: [...known, ...added], moreNotifications: pagination.hasMore });
  }

  async read(id: string): Promise<void> {
    await this.rest.readNotification(id);
    await this.refresh();
  }

  async readAll(): Promise<void> {
    await this.rest.readAllNotifications();
    await this.refresh();
  }

  async remove(id: string): Promise<void> {
    await this.rest.removeNotification(id);
    await this.refresh();
  }

  async loadPreferences(): Promise<void> {
    this.store.setState({ preferences: await this.rest.preferences() });
  }

  async prefer(change: Partial<Preferences>): Promise<void> {
    this.store.setState({ preferences: await this.rest.prefer(change) });
  }
}
