// Checks of a journal of one's own, in Node.
import "./node.js";

export * from "./testing.js";
