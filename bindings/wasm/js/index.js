// Tenure for browsers and bundlers.
import { systemClock } from "./clock.js";
import { Driver } from "./driver.js";
import { call, invalid } from "./error.js";
import { identityOf, random64 } from "./identity.js";
import { CustomJournal } from "./journal/custom.js";
import { fill, IndexedDbJournal } from "./journal/indexeddb.js";
import { MemoryJournal } from "./journal/memory.js";
import { Local } from "./local.js";
import { load, loadArchive, Setup } from "./module.js";
import { encode, optionsOf, textArgument, whole } from "./request.js";
import { Store } from "./store.js";

export * from "./client.js";
export { MemoryJournal } from "./journal/memory.js";
export { load } from "./module.js";

const OPTIONS = [
  "owner",
  "actor",
  "limits",
  "clock",
  "seed",
  "poll",
  "journalTimeout",
  "snapshots",
  "snapshotBytes",
  "snapshotEntries",
];

/** A place in IndexedDB, by the name of its database. */
class Place {
  constructor(name, options) {
    this.name = textArgument(name, "indexedDB");
    const { persist = true, broadcast = true } = optionsOf(options, ["persist", "broadcast"], "indexedDB");
    this.persist = persist;
    this.broadcast = broadcast;
  }
}

/** A store in IndexedDB, shared by all tabs and workers of the origin. */
export function indexedDB(name, options) {
  return new Place(name, options);
}

/** A store in memory. Every handle that is opened on the same answer shares it. */
export function memory() {
  return new MemoryJournal();
}

function setupOf(options, owner, actor) {
  const seed = options.seed === undefined ? random64() : BigInt(whole(options.seed, "seed"));
  const setup = new Setup(owner, actor, random64(), seed);
  try {
    for (const [name, value] of Object.entries(options.limits ?? {})) {
      const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      call(() => setup.limit(snake, whole(value, `limits.${name}`)));
    }
    const sizes = ["snapshotBytes", "snapshotEntries"].map((name) =>
      options[name] === undefined ? undefined : whole(options[name], name, 1),
    );
    setup.snapshots(options.snapshots !== false, ...sizes);
    return setup;
  } catch (error) {
    setup.free();
    throw error;
  }
}

/** Asks the browser to keep the store; `null` where there is nobody to ask. The user may have to be asked, so nobody waits. */
async function persist() {
  try {
    return (await globalThis.navigator?.storage?.persist?.()) ?? null;
  } catch {
    return null;
  }
}

/** Opens a store, and creates it where there is none. */
export async function open(place, options) {
  const given = optionsOf(options, OPTIONS, "open");
  const { clock = systemClock, poll = 1000, journalTimeout = 30_000 } = given;
  if (typeof clock?.now !== "function" || typeof clock.alarm !== "function") {
    throw invalid("open: clock: give a FakeClock, or leave it out");
  }
  const { owner, actor } = identityOf(given);
  whole(poll, "poll", 1);
  whole(journalTimeout, "journalTimeout", 1);
  await load();
  const inBrowser = place instanceof Place;
  const journal = inBrowser
    ? await IndexedDbJournal.open(place.name, { poll, broadcast: place.broadcast })
    : new CustomJournal(place, { poll, journalTimeout });
  try {
    const driver = new Driver(setupOf(given, owner, actor), await journal.load(), journal, clock);
    const persisted = inBrowser && place.persist ? persist() : Promise.resolve(null);
    const store = new Store(new Local(driver, persisted), { owner, actor });
    store._attach(clock);
    return store;
  } catch (error) {
    if (inBrowser) await journal.close();
    throw error;
  }
}

/** Makes a store in IndexedDB of what `store.export()` gave. It is another store, with ids of its own to come. */
export async function importStore(place, bytes) {
  if (!(place instanceof Place)) throw invalid("importStore: give indexedDB(name)");
  const archive = encode(bytes, "importStore");
  const { importFolder } = await loadArchive();
  const identity = crypto.getRandomValues(new Uint8Array(16));
  const [floor, mark, rows, snapshots] = call(() => importFolder(archive, identity, random64()));
  await fill(place.name, { identity, floor, mark, rows, snapshots });
}
