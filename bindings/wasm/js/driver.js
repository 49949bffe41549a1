// Runs the core's desk over a journal: one turn after the other, as long as something is asked.
import { call, closed, keep, outward, TenureError } from "./error.js";
import { Desk } from "./module.js";
import { windowOf } from "./window.js";

/** How often a turn loads the state anew because the journal's floor has passed it. */
const RELOADS = 4;

/** What the core is told of an exception: a code, a text, and a number by which it comes back. */
function describe(error) {
  if (error instanceof TenureError) return [error.code, error.message, keep(error)];
  return ["foreign", String(error?.message ?? error), keep(error)];
}

export class Driver {
  #desk;
  #journal;
  #clock;
  #promises = new Map();
  #running;
  #stopAlarm = () => {};
  #stopPoll = () => {};
  #stopHearing;
  #alarmAt;
  #helds = new Map();
  #listeners = new Set();
  #interest = 0;
  #ended;
  #snapshot;

  constructor(setup, fetched, journal, clock) {
    this.#journal = journal;
    this.#clock = clock;
    this.#desk = call(() => new Desk(setup, windowOf(fetched), clock.now()));
    this.#stopHearing = journal.listen(() => this.hear());
  }

  get desk() {
    return this.#desk;
  }

  get journal() {
    return this.#journal;
  }

  now() {
    return this.#clock.now();
  }

  /** Throws once the handle has ended. */
  check() {
    if (this.#ended) throw this.#ended;
    call(() => this.#desk.mayRead());
  }

  alarm(at, ring) {
    return this.#clock.alarm(at, ring);
  }

  /** Calls the desk, sees to what it wants done, and answers with the promise of a ticket. */
  ask(submit) {
    if (this.#ended) return Promise.reject(this.#ended);
    let ticket;
    try {
      ticket = call(() => submit(this.#desk, this.#clock.now()));
    } catch (error) {
      return Promise.reject(error);
    }
    const promise = new Promise((resolve, reject) => this.#promises.set(ticket, { resolve, reject }));
    this.#kick();
    return Object.assign(promise, { ticket });
  }

  cancel(ticket) {
    if (this.#ended) return;
    this.#desk.cancel(ticket);
    this.#kick();
  }

  /** Reads the state, once everything up to the journal's present end is seen. */
  async look(read) {
    await this.ask((desk) => desk.look());
    return call(() => read(this.#desk, this.#clock.now()));
  }

  /** Others may have written: looks, if anybody cares. */
  hear() {
    if (this.#ended || (this.#interest === 0 && !this.#desk.hasWaiting())) return;
    this.#desk.look();
    this.#kick();
  }

  /** Listens to what each turn brought, and keeps looking for what others write, until the answer is called. */
  listen(listener) {
    this.#listeners.add(listener);
    this.#interest += 1;
    this.#arm();
    return () => {
      if (this.#listeners.delete(listener)) this.#interest -= 1;
    };
  }

  /** Keeps a held task until `stop` is called. */
  hold(task, lease, held) {
    const number = this.#desk.hold(task.id, task.origin, task.owner, task.availableAt, lease, this.#clock.now());
    this.#helds.set(number, held);
    this.#arm();
    return number;
  }

  forget(number) {
    this.#helds.delete(number);
    if (!this.#ended) this.#desk.forget(number);
  }

  /** Once nothing is under way. */
  async settled() {
    while (this.#running || this.#snapshot) {
      await this.#running;
      await this.#snapshot;
    }
  }

  /** Ends the handle: what has no answer gets this one. Answers once nothing is under way. */
  async close() {
    if (this.#ended) return;
    const why = closed();
    this.#desk.close(why.code, why.message, this.#clock.now());
    this.#deliver();
    this.#ended = why;
    this.#stopAlarm();
    this.#stopPoll();
    this.#stopHearing();
    // Those who watch see that it has ended.
    for (const listener of [...this.#listeners]) listener([]);
    await this.settled();
    await this.#journal.close();
  }

  #kick() {
    if (this.#running) return;
    if (!this.#desk.wantsTurn()) {
      this.#deliver();
      return;
    }
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      // Something may have been asked between the last look and now.
      if (!this.#ended && this.#desk.wantsTurn()) this.#kick();
    });
  }

  async #run() {
    // Whatever is asked in the same tick goes into the same turn.
    await undefined;
    while (!this.#ended && this.#desk.wantsTurn()) {
      try {
        await this.#turn();
      } catch (error) {
        this.#fail(error);
      }
      this.#deliver();
    }
  }

  async #turn() {
    for (let reloads = 0; ; reloads += 1) {
      const desk = this.#desk;
      const append = desk.mayAppend();
      let trouble;
      let judged = false;
      const feed = (fetched) => call(() => desk.feed(windowOf(fetched), this.#clock.now()));
      const take = (fetched) => {
        try {
          const rows = call(() => desk.openTurn(windowOf(fetched), append, this.#clock.now()));
          judged = true;
          return { at: desk.position(), rows };
        } catch (error) {
          trouble = error;
          return { at: 0, rows: [], reload: error?.code === "truncated" };
        }
      };
      const outcome = await this.#journal.turn(desk.fetchFrom(), append, take, feed);
      trouble ??= judged ? undefined : outcome.error;
      if (outcome.all !== undefined && reloads < RELOADS) {
        call(() => desk.reload(windowOf(outcome.all), this.#clock.now()));
        continue;
      }
      if (trouble !== undefined) throw trouble;
      this.#close(outcome);
      return;
    }
  }

  #close({ kind, error }) {
    const now = this.#clock.now();
    if (kind === "done") this.#desk.done(now);
    else if (kind === "conflict") this.#desk.conflict(now);
    else this.#desk[kind](...describe(error), now);
  }

  #fail(error) {
    const now = this.#clock.now();
    if (!this.#desk.failClosed(now)) this.#desk.fail(...describe(error), now);
  }

  #deliver() {
    const desk = this.#desk;
    const answers = desk.takeAnswers();
    for (let at = 0; at < answers.length; at += 3) {
      const promise = this.#promises.get(answers[at]);
      this.#promises.delete(answers[at]);
      if (answers[at + 1]) promise?.resolve(answers[at + 2]);
      else promise?.reject(outward(answers[at + 2]));
    }
    const lost = desk.takeLost();
    for (let at = 0; at < lost.length; at += 2) this.#helds.get(lost[at])?.lose(outward(lost[at + 1]));
    const events = desk.takeEvents();
    for (const listener of [...this.#listeners]) listener(events);
    this.#arm();
    if (!this.#ended && !this.#snapshot && desk.snapshotDue()) {
      // It is nobody's answer: where it fails, it is due again.
      this.#snapshot = this.snapshot()
        .catch(() => {})
        .finally(() => {
          this.#snapshot = undefined;
        });
    }
  }

  #arm() {
    if (this.#ended) return;
    const at = this.#desk.nextWake();
    if (at !== this.#alarmAt) {
      this.#stopAlarm();
      this.#alarmAt = at;
      this.#stopAlarm = at === undefined ? () => {} : this.#clock.alarm(at, () => this.#ring());
    }
    this.#stopPoll();
    const wanted = this.#journal.poll !== null && (this.#interest > 0 || this.#desk.hasWaiting());
    if (!wanted) return;
    const timer = setTimeout(() => {
      this.hear();
      this.#arm();
    }, this.#journal.poll);
    this.#stopPoll = () => clearTimeout(timer);
  }

  #ring() {
    this.#alarmAt = undefined;
    if (this.#ended) return;
    this.#desk.tick(this.#clock.now());
    this.#kick();
    this.#arm();
  }

  /** Takes a snapshot, in slices between which commits go on, and lets go of what it makes superfluous. */
  async snapshot() {
    const desk = this.#desk;
    const pieces = [];
    let size = 0;
    try {
      await this.ask(() => desk.beginSnapshot());
      for (;;) {
        if (this.#ended) throw this.#ended;
        const piece = call(() => desk.slice());
        if (piece === undefined) break;
        pieces.push(piece);
        size += piece.length;
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      const name = desk.snapshotName();
      const bytes = new Uint8Array(size);
      let at = 0;
      for (const piece of pieces) {
        bytes.set(piece, at);
        at += piece.length;
      }
      await this.#journal.publish(name, bytes);
      desk.endSnapshot(size);
      return Number.parseInt(name, 10);
    } catch (error) {
      desk.endSnapshot(0);
      throw error;
    }
  }
}
