import type { Journal } from "./index.js";

export { FakeClock, MemoryJournal, memory } from "./index.js";

/** What came of one check. */
export interface Finding {
  contract: string;
  statement: string;
  /** How it is broken, where it is. */
  broken?: string;
  /** Why it could not be checked, where it could not. */
  skipped?: string;
}

/**
 * Holds journals that `make` makes, each new and empty, against the contracts J1 to J10 of a journal: the suite that every
 * journal of Tenure has to pass. `remake` removes the store behind a journal and answers with a new one in its place.
 */
export function checkJournal(
  make: () => Journal | Promise<Journal>,
  options?: { remake?: (journal: Journal) => Journal | Promise<Journal>; journalTimeout?: number },
): Promise<Finding[]>;
