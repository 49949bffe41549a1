// The database under a journal in IndexedDB: how it is opened, and what its errors mean.

import { invalid, Unavailable } from "../error.js";

const VERSION = 1;
/** Under which `meta` has what is known of the store. */
export const KEY = "store";
/** Whose the tables are that hold no store. */
export const NOBODY = new Uint8Array();
/** Milliseconds after which a database that has not opened is asked for anew, and how often that is done. */
const OPENING = 5000;
const OPENINGS = 6;

/** What IndexedDB says, as an error of Tenure. */
export function fault(error, doing) {
  const full = error?.name === "QuotaExceededError";
  const why = `${doing}: ${error?.name ?? "aborted"}: ${error?.message || "the browser gave no reason"}`;
  const next = full ? "free some space, or ask the user for more" : "try again";
  const options = {
    code: full ? "no_space" : "unavailable",
    outcome: full ? "refused" : "not_started",
    retry: "later",
  };
  return new Unavailable(`${why}; ${next}`, { ...options, cause: error });
}

/** Opens a database, and creates its tables, and with `create` a store in them, where there is none. */
export function connect(name, create) {
  return new Promise((resolve, reject) => {
    if (typeof globalThis.indexedDB === "undefined") {
      reject(invalid("indexedDB: there is no IndexedDB here: use memory(), or a journal of your own"));
      return;
    }
    let timer;
    let settled = false;
    const settle = (answer, value) => {
      clearTimeout(timer);
      settled = true;
      answer(value);
    };
    const attempt = (left) => {
      let request;
      try {
        request = globalThis.indexedDB.open(name, VERSION);
      } catch (error) {
        settle(reject, fault(error, `can't open the database ${name}`));
        return;
      }
      request.onupgradeneeded = () => {
        const database = request.result;
        database.createObjectStore("meta");
        database.createObjectStore("rows");
        database.createObjectStore("snapshots");
        if (!create) return;
        const identity = crypto.getRandomValues(new Uint8Array(16));
        request.transaction.objectStore("meta").put({ identity, floor: 1, mark: NOBODY }, KEY);
      };
      request.onsuccess = () => {
        // One that was given up and comes all the same.
        if (settled) request.result.close();
        else settle(resolve, request.result);
      };
      request.onerror = () => {
        if (settled) return;
        // As while the store is being evicted: the next one finds what is there.
        if (request.error?.name === "AbortError" && left > 0) again();
        else settle(reject, fault(request.error, `can't open the database ${name}`));
      };
      const again = () => {
        clearTimeout(timer);
        attempt(left - 1);
      };
      // While a store is being evicted, a browser may forget whom it owes an answer.
      timer = setTimeout(() => {
        if (left > 0) again();
        else settle(reject, fault({ name: "TimeoutError" }, `can't open the database ${name}`));
      }, OPENING);
    };
    attempt(OPENINGS - 1);
  });
}
