// Compiled, never run: what a user writes, against the types.
import {
  FakeClock,
  importStore,
  indexedDB,
  type Journal,
  LeaseLost,
  MemoryJournal,
  memory,
  open,
  type Store,
  Store as StoreClass,
  TenureError,
} from "tenure-wasm";
import { connect, Unknown } from "tenure-wasm/client";
import { checkJournal } from "tenure-wasm/testing";

export async function worker(store: Store, signal: AbortSignal): Promise<number> {
  let done = 0;
  for await (const held of store.claims(["map", "reduce"], { lease: 5_000, idle: 1_000, signal })) {
    await held.run(async ({ task, signal: lost }) => {
      const { part } = task.json<{ part: string }>();
      if (lost.aborted) return;
      await store.transact(async (tx) => {
        const left = await tx.get("jobs", part);
        tx.finish(held);
        tx.increment("left", part, -1, { min: 0 });
        if (left === null) tx.add("reduce", new Uint8Array([1]), { key: part, ifExists: "keep" });
      });
    });
    done += 1;
  }
  return done;
}

export async function page(): Promise<string | undefined> {
  const store = await open(indexedDB("work", { persist: false }), { actor: "page" });
  try {
    const task = await store.add("map", "part-1", { delay: 10 });
    const claimed = await store.claim("map", { wait: Number.POSITIVE_INFINITY });
    if (claimed !== null) await store.finish(claimed);
    for await (const event of store.watch()) if (event.changes[0]?.kind === "removed") break;
    await importStore(indexedDB("copy"), await store.export());
    return task.key;
  } catch (error) {
    if (error instanceof LeaseLost) return String(error.details.missing_deletes);
    if (error instanceof TenureError && error.retry === "later") return error.code;
    throw error;
  } finally {
    await store.close();
  }
}

export async function served(signal: AbortSignal): Promise<void> {
  const store = await connect("https://tasks.example", { token: async () => "secret", signal, patience: 5_000 });
  await worker(store, signal);
  try {
    await store.put("t", "k", "v");
  } catch (error) {
    if (error instanceof Unknown && error.retry === "with_same_request_id") console.error(error.message);
  }
}

export async function kit(journal: Journal): Promise<void> {
  const clock = new FakeClock(0);
  const store = await open(memory(), { clock });
  await clock.advance(60_000);
  await store.close();
  await checkJournal(() => new MemoryJournal());
  await open(journal, { journalTimeout: 100 });
}

// What must not compile.
export function mistakes(store: Store): void {
  // @ts-expect-error A lease is a number of milliseconds.
  void store.claim("map", { lease: "60s" });
  // @ts-expect-error A token is text.
  void connect("https://tasks.example", { token: 7 });
  // @ts-expect-error Options are not made up.
  void store.add("map", "x", { priority: 3 });
  // @ts-expect-error Only `open` makes one.
  new StoreClass();
}
