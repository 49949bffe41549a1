// A store's requests, answered by the core in this page or process. `remote/remote.js` offers the same over HTTP.
import { call, TenureError } from "./error.js";
import { loadArchive } from "./module.js";
import { textOf } from "./request.js";
import { Transaction } from "./transaction.js";
import { taskOf } from "./types.js";
import { windowOf } from "./window.js";

const GROUPS_TABLE = "_groups";

/** How often a transaction runs again whose reads have changed. */
const RUNS = 16;

const parse = (text) => (text === undefined ? undefined : JSON.parse(text));

export class Local {
  #driver;
  #persisted;

  constructor(driver, persisted) {
    this.#driver = driver;
    this.#persisted = persisted;
  }

  now() {
    return this.#driver.now();
  }

  check() {
    this.#driver.check();
  }

  // Writing

  async update(request, helds) {
    const numbers = Float64Array.from(helds, (held) => held._number);
    return parse(await this.#driver.ask((desk) => desk.update(textOf(request), numbers)));
  }

  /** Whether the records that a transaction read, and of which it changed none, are as they were. */
  async verify(request) {
    return parse(await this.#driver.ask((desk) => desk.verify(textOf(request))));
  }

  async claim(claim, signal) {
    const claimed = this.#driver.ask((desk, now) => desk.claim(textOf(claim), now));
    const stop = () => this.#driver.cancel(claimed.ticket);
    signal?.addEventListener("abort", stop);
    try {
      return parse(await claimed);
    } catch (error) {
      // As everywhere on the web, what ends is told by the reason that the signal gives.
      if (error instanceof TenureError && error.code === "cancelled" && signal?.aborted) throw signal.reason;
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  async pause(group, paused) {
    for (let left = RUNS; ; left -= 1) {
      const tx = new Transaction(this);
      const present = await tx.get(GROUPS_TABLE, group);
      // Here and not by the core's `set_paused`, which would make the module 8 KB larger, zipped.
      const { paused: _before, ...others } = present?.json() ?? {};
      const settings = paused ? { ...others, paused } : others;
      if (Object.keys(settings).length > 0) tx.put(GROUPS_TABLE, group, JSON.stringify(settings));
      else if (present !== null) tx.remove(GROUPS_TABLE, group);
      try {
        return (await tx._commit()).revision;
      } catch (error) {
        if (left === 0 || !tx._outdated(error)) throw error;
      }
    }
  }

  // Looking

  async #look(read) {
    return parse(await this.#driver.look(read));
  }

  task(id) {
    return this.#look((desk) => desk.task(id));
  }

  find(origin) {
    return this.#look((desk) => desk.find(origin));
  }

  byKey(group, key) {
    return this.#look((desk) => desk.byKey(group, key));
  }

  async tasks(group, state, after, limit) {
    return (await this.#look((desk, now) => desk.tasks(group, state, after, limit, now))).tasks;
  }

  async groups() {
    return (await this.#look((desk, now) => desk.groups(now))).groups;
  }

  group(name) {
    return this.#look((desk, now) => desk.group(name, now));
  }

  get(table, key) {
    return this.#look((desk, now) => desk.get(table, key, now));
  }

  async scan(table, prefix, after, limit) {
    return (await this.#look((desk, now) => desk.scan(table, prefix, after, limit, now))).records;
  }

  /** Waits until none of the groups has a task left, at most until then. */
  async waitEmpty(names, until, signal) {
    let wake = () => {};
    let changed = false;
    const stir = () => wake();
    const stop = this.#driver.listen((news) => {
      changed ||= news.length > 0;
      wake();
    });
    const stopAlarm = Number.isFinite(until) ? this.#driver.alarm(until, stir) : () => {};
    signal?.addEventListener("abort", stir);
    this.#driver.desk.watch(true);
    try {
      for (;;) {
        if ((await this.#driver.look((desk) => desk.groupsLen(names))) === 0) return true;
        while (!changed) {
          this.check();
          if (signal?.aborted) throw signal.reason;
          if (this.now() >= until) return false;
          await new Promise((resolve) => {
            wake = resolve;
          });
        }
        changed = false;
      }
    } finally {
      stop();
      stopAlarm();
      signal?.removeEventListener("abort", stir);
    }
  }

  // Held tasks

  hold(task, lease, held) {
    return this.#driver.hold(task, lease, held);
  }

  renew(number) {
    return this.#driver.ask((desk) => desk.renew(number));
  }

  /** The task as it is now; `null` where it is no longer kept. */
  present(number) {
    const { desk } = this.#driver;
    const id = desk.present(number);
    return id === undefined ? null : taskOf(parse(desk.task(id)));
  }

  isEnded(number) {
    return this.#driver.desk.isEnded(number);
  }

  forget(number) {
    this.#driver.forget(number);
  }

  // The handle

  /**
   * Tells `listener` of committed entries from now on: `take` gets them in batches, empty ones too when something else has
   * changed, and `fail` an error that ends it. The answer ends it.
   */
  follow(listener) {
    this.check();
    // Shared by all watches of the handle: it stays on once somebody watched.
    this.#driver.desk.watch(true);
    const stop = this.#driver.listen((news) => listener.take(news));
    this.#driver.look(() => undefined).catch((error) => listener.fail(error));
    return stop;
  }

  snapshot() {
    return this.#driver.snapshot();
  }

  async flush() {
    await this.#driver.look(() => undefined);
  }

  async stats() {
    const sizes = await this.#driver.look((desk) => [...desk.sizes(), desk.digest()]);
    const [revision, nextId, tasks, records, ahead, digest] = sizes;
    return { revision, nextId, tasks, records, ahead, digest, persisted: await this.#persisted };
  }

  async export() {
    await this.flush();
    const all = await this.#driver.journal.load();
    const { exportFolder, Window } = await loadArchive();
    return call(() => exportFolder(windowOf(all, Window)));
  }

  settled() {
    return this.#driver.settled();
  }

  close() {
    return this.#driver.close();
  }
}
