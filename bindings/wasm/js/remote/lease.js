// Held tasks of a service's store: each knows its present id, and is renewed when a third of its lease is over. The core's
// desk keeps those of an embedded store by the same rules.
import { invalid } from "../error.js";
import { Task } from "../types.js";

export class Leases {
  #clock;
  #send;
  #track;
  #kept = new Map();
  #last = 0;
  #stopAlarm = () => {};
  #alarmAt;

  /** `send` commits a request and answers as the service does; `track` is told of what is begun here. */
  constructor(clock, send, track) {
    this.#clock = clock;
    this.#send = send;
    this.#track = track;
  }

  /** Keeps a task that was claimed just now. */
  hold(task, lease, held) {
    this.#last += 1;
    const now = this.#clock.now();
    this.#kept.set(this.#last, { task, lease, held, due: now + third(lease), ended: false, free: Promise.resolve() });
    this.#arm();
    return this.#last;
  }

  present(number) {
    return this.#kept.get(number)?.task ?? null;
  }

  isEnded(number) {
    return this.#kept.get(number)?.ended ?? true;
  }

  forget(number) {
    this.#kept.delete(number);
    this.#arm();
  }

  /** The handle ends: nothing can be done with what it held. */
  loseAll(error) {
    for (const lease of this.#kept.values()) lose(lease, error);
    this.#stopAlarm();
  }

  async renew(number) {
    const lease = this.#kept.get(number);
    if (lease === undefined || lease.ended) throw invalid("this held task was finished, failed or given back before");
    await this.#exchange([lease], () => {
      const { id, origin, owner } = lease.task;
      return { owner, updates: [{ id, origin, verb: "renew", delay: lease.lease }] };
    });
  }

  /** Commits a request that names these, under the ids that they have once it is their turn. */
  async commit(request, helds) {
    const leases = helds.map((held) => this.#kept.get(held._number)).filter((lease) => lease !== undefined);
    return this.#exchange(leases, () => {
      for (const { task } of leases) {
        for (const item of [...(request.updates ?? []), ...(request.deletes ?? [])]) {
          if (item.origin === task.origin) item.id = task.id;
        }
      }
      return request;
    });
  }

  /** One change of a lease after the other: each needs the id that the one before gave it. */
  async #exchange(leases, ask) {
    const before = leases.map((lease) => lease.free);
    let done = () => {};
    const free = new Promise((resolve) => {
      done = resolve;
    });
    for (const lease of leases) lease.free = free;
    await Promise.all(before);
    try {
      for (const lease of leases) if (lease.lost !== undefined) throw lease.lost;
      const committed = await this.#send(ask());
      for (const lease of leases) this.#moved(lease, committed);
      return committed;
    } catch (error) {
      for (const lease of leases) this.#failed(lease, error);
      throw error;
    } finally {
      done();
      this.#arm();
    }
  }

  #moved(lease, { tasks }) {
    const task = tasks.find(({ origin }) => origin === lease.task.origin);
    if (task === undefined || task.owner !== lease.task.owner) {
      lease.ended = true;
    } else {
      lease.task = new Task(task);
      lease.due = this.#clock.now() + third(lease.lease);
    }
  }

  #failed(lease, error) {
    const { missing_updates = [], missing_deletes = [], not_held = [] } = error?.details ?? {};
    const refused = [...missing_updates, ...missing_deletes, ...not_held];
    if (refused.some(({ id }) => id === lease.task.id)) lose(lease, error);
    // Anything else is tried again while there is time.
    else if (lease.due === undefined) lease.due = this.#clock.now() + Math.max(1, Math.floor(lease.lease / 20));
  }

  #arm() {
    const dues = [...this.#kept.values()].filter(isLive).map(({ due }) => due ?? Number.POSITIVE_INFINITY);
    const at = Math.min(Number.POSITIVE_INFINITY, ...dues);
    if (at === this.#alarmAt) return;
    this.#stopAlarm();
    this.#alarmAt = at;
    this.#stopAlarm = Number.isFinite(at) ? this.#clock.alarm(at, () => this.#ring()) : () => {};
  }

  #ring() {
    this.#alarmAt = undefined;
    const now = this.#clock.now();
    for (const [number, lease] of this.#kept) {
      if (!isLive(lease) || lease.due === undefined || lease.due > now) continue;
      // Until this one is answered.
      lease.due = undefined;
      // Who holds it is told by `lost`; what else fails is tried again.
      this.#track(this.renew(number)).catch(() => {});
    }
    this.#arm();
  }
}

const third = (lease) => Math.max(1, Math.floor(lease / 3));

const isLive = (lease) => !lease.ended && lease.lost === undefined;

function lose(lease, error) {
  if (!isLive(lease)) return;
  lease.lost = error;
  lease.held.lose(error);
}
