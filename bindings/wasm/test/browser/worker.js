// What a tab does in the tests: claims tasks and commits each in one transaction, which would show one that is done twice.

/** Works until `signal` says stop; counts what was committed in the record `done/ORIGIN`. */
export async function work(store, options = {}) {
  for (;;) {
    try {
      return await once(store, options);
    } catch (error) {
      // The browser ended a transaction of a tab that stood still in the middle of it.
      if (error.retry !== "later") throw error;
    }
  }
}

async function once(store, { lease = 4_000, pause = 0 } = {}) {
  for await (const held of store.claims("work", { lease })) {
    try {
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
      await store.transact((tx) => {
        tx.finish(held);
        tx.increment("done", String(held.task.origin));
      });
    } catch (error) {
      // Lost while this tab slept: another has it.
      if (error.code !== "lease_lost") throw error;
    }
  }
}
