// The compiled modules, each loaded once: the one that runs stores, and, when it is needed, the one that exports and
// imports them.
import init from "../dist/tenure.js";

export { catalogue, Desk, floorOf, Setup, Window } from "../dist/tenure.js";

let from;
let loading;

/** Says where the modules' bytes come from: a function that is given a file's name, and gives what WebAssembly takes. */
export function loadFrom(source) {
  from = source;
}

function start(run, name, source) {
  return Promise.resolve(source ?? from?.(name)).then((module_or_path) =>
    run(module_or_path === undefined ? undefined : { module_or_path }),
  );
}

/**
 * Loads the module. `open` does so by itself; call it before to give its bytes, a `Response`, a URL or a compiled module,
 * where a bundler or a content policy leaves no other way.
 */
export function load(source) {
  loading ??= start(init, "tenure_bg.wasm", source).then(
    () => undefined,
    (error) => {
      // What failed to load may be tried again.
      loading = undefined;
      throw error;
    },
  );
  return loading;
}

let archiving;

/** The module that exports and imports. */
export function loadArchive(source) {
  archiving ??= import("../dist/archive.js")
    .then((module) => start(module.default, "archive_bg.wasm", source).then(() => module))
    .catch((error) => {
      archiving = undefined;
      throw error;
    });
  return archiving;
}
