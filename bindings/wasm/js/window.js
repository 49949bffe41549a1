import * as module from "./module.js";

/** Builds the core's window of what a journal fetched. Snapshots are only there when everything is. */
export function windowOf(fetched, Window = module.Window) {
  const window = new Window(fetched.identity, fetched.floor, fetched.mark, fetched.from);
  try {
    for (const row of fetched.rows) window.row(row);
    for (const [name, bytes] of fetched.snapshots ?? []) window.snapshot(name, bytes);
  } catch (error) {
    window.free();
    throw error;
  }
  return window;
}
