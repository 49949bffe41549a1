import type { Journal } from "./index.js";

export { FakeClock, MemoryJournal, memory } from "./index.js";

/** What came of one check. */
export interface Finding {
  contract: string;
  statement: string;
  /** `undefined` where the contract is kept; otherwise how it is broken. */
  broken?: string;
}

/** Holds journals that `make` makes, each new and empty, against what a store relies on. */
export function checkJournal(make: () => Journal | Promise<Journal>): Promise<Finding[]>;
