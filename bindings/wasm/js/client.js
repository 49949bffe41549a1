// The client of a service, for pages that embed no store: nothing of this loads WebAssembly.
export { FakeClock } from "./clock.js";
export * from "./error.js";
export { Held } from "./held.js";
export { connect } from "./remote/connect.js";
export { Store } from "./store.js";
export { Transaction } from "./transaction.js";
export { Task, TenureRecord as Record } from "./types.js";
