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
  #until;
  #failed;
  #closed = false;
  #changed = false;

  constructor(driver, { signal, until, events = false }) {
    driver.check();
    this.#driver = driver;
    this.#signal = signal;
    this.#until = until;
    // Shared by all watches of the handle: it stays on once somebody watched.
    driver.desk.watch(true);
    this.#stop = driver.listen((news) => this.#take(news, events));
    signal?.addEventListener("abort", this.#abort);
    driver.look(() => undefined).catch((error) => this.#fail(error));
  }

  #abort = () => this.#wake();

  #fail(error) {
    this.#failed = error;
    this.#wake();
  }

  #take(news, keep) {
    this.#changed ||= news.length > 0;
    if (keep && this.#events.length + news.length > HELD) {
      this.#events = [];
      this.#lagged = true;
    } else if (keep) {
      this.#events.push(...news);
    }
    this.#wake();
  }

  /** Waits for news; `false` once its time is up. */
  async #wait() {
    if (this.#signal?.aborted) return false;
    let stop = () => {};
    await new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#until !== undefined && Number.isFinite(this.#until)) stop = this.#driver.alarm(this.#until, resolve);
    });
    stop();
    return this.#until === undefined || this.#driver.now() < this.#until;
  }

  /** Waits until anything has changed; `false` once its time is up. */
  async changed() {
    while (!this.#changed) {
      if (this.#failed) throw this.#failed;
      this.#driver.check();
      if (this.#signal?.aborted) throw this.#signal.reason;
      if (this.#until !== undefined && this.#driver.now() >= this.#until) return false;
      await this.#wait();
    }
    this.#changed = false;
    return true;
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
      await this.#wait();
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
