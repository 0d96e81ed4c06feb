// What the guides' components have in common once the screen is taken away: state that handlers change, and
// somebody who waits for it.
import { within, PATIENCE } from '../support/wait.mjs';

export class Machine {
  #watchers = new Set();

  /** The one way to change state, as a component's setter is. */
  set(change) {
    Object.assign(this, typeof change === 'function' ? change(this) : change);
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Returns once `condition(this)` holds. */
  async until(what, condition) {
    if (condition(this)) return;
    let watcher;
    const reached = new Promise((resolve) => {
      watcher = () => condition(this) && resolve();
      this.#watchers.add(watcher);
    });
    try {
      await within(PATIENCE, what, reached);
    } finally {
      this.#watchers.delete(watcher);
    }
  }
}

/** Calls `action` once, `delay` after the last call: how the guides spare the server keystrokes. */
export function debounce(action, delay) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...args), delay);
  };
}
