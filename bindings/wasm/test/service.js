// Services for tests: `tenure serve` itself, and one whose clock stands where a test puts it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");

/** The `tenure` program, as the Rust tests have built it. */
export const PROGRAM = process.env.TENURE_PROGRAM ?? join(target, "debug", "tenure");
const STANDING = join(PROGRAM, "..", "examples", "standing");

/** Why there is no service here, or `false`. Where all is tested (TENURE_INTEROP), there has to be. */
export function lacks() {
  const missing = [PROGRAM, STANDING].find((path) => !existsSync(path));
  if (missing === undefined) return false;
  const why = `${missing} is not built: cargo test --workspace --all-features --no-run`;
  assert.notEqual(process.env.TENURE_INTEROP, "required", why);
  return why;
}

/** Starts a program that says on its first line where it listens. */
async function start(command, args, input) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const over = new Promise((resolve) => child.once("exit", resolve));
  const lines = createInterface({ input: child.stdout });
  const replies = lines[Symbol.asyncIterator]();
  if (input !== undefined) child.stdin.write(`${JSON.stringify(input)}\n`);
  const { value } = await replies.next();
  assert.ok(value, `${command} said nothing`);
  return { child, over, said: JSON.parse(value), replies };
}

/** A store in a folder of its own, served by `tenure serve`. */
export class Service {
  #folder;
  #running;
  #args;

  constructor(folder, args) {
    this.#folder = folder;
    this.#args = args;
  }

  static async start(...args) {
    const service = new Service(await mkdtemp(join(tmpdir(), "tenure-served-")), args);
    await service.run("127.0.0.1:0");
    return service;
  }

  get path() {
    return join(this.#folder, "store");
  }

  async run(listen = new URL(this.url).host) {
    this.#running = await start(PROGRAM, ["serve", this.path, "--json", "--listen", listen, ...this.#args]);
    [this.url] = this.#running.said.urls;
  }

  /** Ends the program by a signal, and waits until it is gone. */
  async end(signal = "SIGTERM") {
    this.#running.child.kill(signal);
    await this.#running.over;
  }

  async stop() {
    await this.end();
    await rm(this.#folder, { recursive: true });
  }
}

/** The clock of a store that is served: moving it moves the service's too, and the service's first. */
class ServedClock {
  #now;
  #move;
  #alarms = new Set();
  #stores = new Set();

  constructor(now, move) {
    this.#now = now;
    this.#move = move;
  }

  now() {
    return this.#now;
  }

  alarm(at, ring) {
    const alarm = { at, ring };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  attach(store) {
    this.#stores.add(store);
    return () => this.#stores.delete(store);
  }

  advance(milliseconds) {
    return this.set(this.#now + milliseconds);
  }

  async set(now) {
    this.#now = now;
    await this.#move(now);
    for (const alarm of [...this.#alarms]) {
      if (alarm.at <= now && this.#alarms.delete(alarm)) alarm.ring();
    }
    await Promise.all([...this.#stores].map((store) => store.settled()));
  }
}

/** A store in memory that is served, and whose clock stands. */
export async function standing(setup = {}) {
  const { child, over, said, replies } = await start(STANDING, [], setup);
  const clock = new ServedClock(setup.now ?? 1_000_000, async (now) => {
    child.stdin.write(`${JSON.stringify({ now })}\n`);
    await replies.next();
  });
  const stop = async () => {
    child.stdin.end();
    await over;
  };
  return { url: said.url, clock, stop };
}

/** Looks until it is so. */
export async function soon(look) {
  for (const end = Date.now() + 30_000; !(await look()); ) {
    assert.ok(Date.now() < end, `it never came: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Waits until so many claims wait at a service. */
export async function asked(url, count) {
  await soon(async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    return Number(/^tenure_waiting_claims (\d+)$/m.exec(metrics)?.[1]) === count;
  });
}
