// Time: the machine's, or one that a test moves.

const SOURCE = `const set = new Map();
onmessage = ({ data: [id, wait] }) => {
  clearTimeout(set.get(id));
  if (wait === null) set.delete(id);
  else set.set(id, setTimeout(() => { set.delete(id); postMessage(id); }, wait));
};`;

/** The longest that a timer can wait. */
const MOST = 0x7fff_ffff;

/**
 * Timers of a worker. A browser slows the timers of a hidden page down to one a minute, which would cost short leases;
 * those of a worker go on.
 */
class Bell {
  #worker;
  #rings = new Map();
  #last = 0;

  constructor() {
    try {
      const url = URL.createObjectURL(new Blob([SOURCE], { type: "text/javascript" }));
      this.#worker = new Worker(url);
      URL.revokeObjectURL(url);
      this.#worker.onmessage = ({ data }) => this.#rings.get(data)?.();
      // Where a page's policy forbids it, the page's own timers have to do.
      this.#worker.onerror = (event) => {
        event.preventDefault();
        this.#worker = undefined;
      };
    } catch {
      this.#worker = undefined;
    }
  }

  set(wait, ring) {
    this.#last += 1;
    const id = this.#last;
    this.#rings.set(id, ring);
    this.#worker?.postMessage([id, wait]);
    return () => {
      this.#rings.delete(id);
      this.#worker?.postMessage([id, null]);
    };
  }
}

let bell;

function inPage() {
  return typeof document !== "undefined" && typeof Worker === "function" && typeof Blob === "function";
}

/** The machine's clock. */
export const systemClock = {
  now: () => Date.now(),

  /** Calls `ring` once the clock shows `at`, or sooner; answers with what takes that back. */
  alarm(at, ring) {
    const wait = Math.min(Math.max(at - Date.now(), 0), MOST);
    let stop = () => {};
    const timer = setTimeout(() => {
      stop();
      ring();
    }, wait);
    if (inPage() && wait > 0) {
      bell ??= new Bell();
      stop = bell.set(wait, () => {
        clearTimeout(timer);
        stop();
        ring();
      });
    }
    return () => {
      clearTimeout(timer);
      stop();
    };
  },
};

/** A clock that stands still until a test moves it. */
export class FakeClock {
  #now;
  #alarms = new Set();
  #stores = new Set();

  constructor(now = 1_000_000_000_000) {
    this.#now = now;
  }

  now() {
    return this.#now;
  }

  alarm(at, ring) {
    const alarm = { at, ring };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** Stores that run by this clock, so that moving it can wait for what it sets going. */
  attach(store) {
    this.#stores.add(store);
    return () => this.#stores.delete(store);
  }

  /** Moves the clock on. Once that is awaited, claims that became due are answered, and leases renewed or expired. */
  advance(milliseconds) {
    return this.set(this.#now + milliseconds);
  }

  /** Sets the clock. */
  async set(now) {
    if (!Number.isSafeInteger(now)) throw new TypeError(`FakeClock: ${now} is no time in whole milliseconds`);
    this.#now = now;
    for (const alarm of [...this.#alarms]) {
      if (alarm.at > now) continue;
      this.#alarms.delete(alarm);
      alarm.ring();
    }
    await Promise.all([...this.#stores].map((store) => store.settled()));
  }
}
