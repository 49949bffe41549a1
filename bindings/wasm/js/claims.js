// Held tasks as they come.
import { Timeout } from "./error.js";
import { Held } from "./held.js";

/** An async iterable of held tasks. What its user leaves untouched when it goes on is not given back: finish, fail or
 * release each, or use `held.run`. */
export class Claims {
  #store;
  #groups;
  #options;

  constructor(store, groups, options) {
    this.#store = store;
    this.#groups = groups;
    this.#options = options;
  }

  async *[Symbol.asyncIterator]() {
    const { lease, idle, order, signal } = this.#options;
    for (;;) {
      if (signal?.aborted) return;
      let task;
      try {
        task = await this.#store.claim(this.#groups, { lease, wait: idle, order, signal });
      } catch (error) {
        if (signal?.aborted && error === signal.reason) return;
        if (signal?.aborted && error instanceof Timeout) return;
        throw error;
      }
      if (task === null) return;
      yield new Held(this.#store, task, lease);
    }
  }
}
