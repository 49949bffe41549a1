// A held task: it knows its present id and is renewed in time, until it is finished, failed or given back.
import { invalid, LeaseLost, TenureError } from "./error.js";
import { optionsOf } from "./request.js";

/** A task that this store holds. `store.claims` and `store.hold` make it. */
export class Held {
  #store;
  #number;
  #task;
  #abort = new AbortController();
  #lost;
  #ended = false;

  constructor(store, task, lease) {
    this.#store = store;
    this.#task = task;
    this.#number = store._driver.hold(task, lease, this);
  }

  /** The task as it is now. */
  get task() {
    const present = this.#ended || this.#lost ? undefined : this.#store._present(this.#number);
    if (present) this.#task = present;
    return this.#task;
  }

  get data() {
    return this.task.data;
  }

  text() {
    return this.task.text();
  }

  json() {
    return this.task.json();
  }

  /** Whether the lease is lost: nothing that is done now can be committed with it. */
  get lost() {
    return this.#lost !== undefined;
  }

  /** Whether it was finished, failed or given back, by itself or in a transaction. */
  get ended() {
    this.#ended ||= this.#store._isEnded(this.#number);
    return this.#ended;
  }

  /** Aborted when the lease is lost; its reason is the error that says why. */
  get signal() {
    return this.#abort.signal;
  }

  /** Throws with all that is known, once the lease is lost. */
  check() {
    if (this.#lost) throw this.#lost;
  }

  /** Renews the lease now. */
  async renew() {
    this.check();
    await this.#store._driver.renew(this.#number);
  }

  /** Keeps a text with the task, as its error field, for those who look: how far the work has come. */
  async note(text) {
    await this.#change({ error: text });
  }

  /** Changes the data, so that whoever goes on after a crash starts from there. */
  async save(data) {
    await this.#change({ data });
  }

  /** The work is done. */
  async finish() {
    await this.#end((tx) => tx.finish(this));
  }

  /** The work failed: the task is given back, or put into another group, with one more failure and its text. */
  async fail(error, options) {
    const { delay = 0, group } = optionsOf(options, ["delay", "group"], "fail");
    await this.#end((tx) => tx.fail(this, error, { delay, group }));
  }

  /** Gives the task back. */
  async release(options) {
    const { delay = 0 } = optionsOf(options, ["delay"], "release");
    await this.#end((tx) => tx.release(this, { delay }));
  }

  /**
   * Runs `work` and finishes the task; an exception fails it, and is thrown on. Where `work` has ended it by itself, as in
   * a transaction, nothing more is done.
   */
  async run(work) {
    if (typeof work !== "function") throw invalid("run: give a function");
    let value;
    try {
      value = await work(this);
    } catch (error) {
      const mine = error instanceof LeaseLost && error === this.#lost;
      if (!this.lost && !this.ended && !mine) await this.#failWith(error);
      throw error;
    }
    this.check();
    if (!this.ended) await this.finish();
    return value;
  }

  async #failWith(error) {
    try {
      await this.fail(`${error?.name ?? "Error"}: ${error?.message ?? error}`);
    } catch (second) {
      // The work's own error says more; the lease runs out by itself.
      if (!(second instanceof TenureError)) throw second;
    }
  }

  async [Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]() {
    if (this.lost || this.ended) this.forget();
    else await this.release().catch(() => {});
  }

  async #change(change) {
    this.check();
    await this.#store._commit((tx) => tx.update(this, change));
  }

  async #end(how) {
    this.check();
    if (this.ended) throw invalid("this held task was finished, failed or given back before");
    await this.#store._commit(how);
    this.forget();
  }

  /** Renews it no more: the lease runs out by itself. */
  forget() {
    this.#ended ||= !this.#lost;
    this.#store._driver.forget(this.#number);
  }

  /** @internal */
  get _number() {
    return this.#number;
  }

  /** @internal */
  lose(error) {
    if (this.#lost) return;
    this.#lost = error;
    this.#abort.abort(error);
  }
}
