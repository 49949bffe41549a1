// Committed entries, as they come.
import { NotFound } from "./error.js";

/** Events that are held for one who does not fetch them. */
const HELD = 65_536;

/** An async iterable of events, from the moment when it was made. */
export class Watch {
  #driver;
  #stop;
  #events = [];
  #lagged = false;
  #wake = () => {};
  #signal;
  #failed;
  #closed = false;

  constructor(driver, signal) {
    driver.check();
    this.#driver = driver;
    this.#signal = signal;
    this.#stop = driver.follow({
      take: (news) => this.#take(news),
      lag: () => this.#lag(),
      fail: (error) => this.#fail(error),
    });
    signal?.addEventListener("abort", this.#abort);
  }

  #abort = () => this.#wake();

  #fail(error) {
    this.#failed = error;
    this.#wake();
  }

  #lag() {
    this.#events = [];
    this.#lagged = true;
    this.#wake();
  }

  #take(news) {
    if (this.#events.length + news.length > HELD) {
      this.#lag();
    } else {
      this.#events.push(...news);
      this.#wake();
    }
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#stop();
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#wake();
  }

  async next() {
    for (;;) {
      if (this.#lagged) {
        this.#lagged = false;
        const message = "more happened than this watch could hold, and some of it was let go: look at the state anew";
        throw new NotFound(message, { code: "truncated" });
      }
      if (this.#events.length > 0) return { done: false, value: this.#events.shift() };
      if (this.#closed || this.#signal?.aborted) {
        this.close();
        return { done: true, value: undefined };
      }
      if (this.#failed) throw this.#failed;
      this.#driver.check();
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async return() {
    this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}
