// The compiled modules, each loaded once: the one that runs stores, and, when it is needed, the one that exports and
// imports them.
import init from "../dist/tenure.js";

export { catalogue, Desk, keep, Setup, Window } from "../dist/tenure.js";

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

/** A module that is loaded when it is first needed. */
function later(name, glue) {
  let coming;
  return () => {
    coming ??= glue()
      .then((module) => start(module.default, `${name}_bg.wasm`).then(() => module))
      .catch((error) => {
        coming = undefined;
        throw error;
      });
    return coming;
  };
}

/** The module that exports and imports. */
export const loadArchive = later("archive", () => import("../dist/archive.js"));

/** The module that holds journals against the contracts. */
export const loadConformance = later("conformance", () => import("../dist/conformance.js"));
