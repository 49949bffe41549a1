// Held tasks as they come.
import { Timeout } from "./error.js";
import { Held } from "./held.js";

/** Held tasks, one after the other. What its user leaves untouched when it goes on is not given back: finish, fail or
 * release each, or use `held.run`. */
export async function* claims(store, groups, { lease, idle, order, signal }) {
  for (;;) {
    if (signal?.aborted) return;
    let task;
    try {
      task = await store.claim(groups, { lease, wait: idle, order, signal });
    } catch (error) {
      if (signal?.aborted && error === signal.reason) return;
      if (signal?.aborted && error instanceof Timeout) return;
      throw error;
    }
    if (task === null) return;
    yield new Held(store, task, lease);
  }
}
