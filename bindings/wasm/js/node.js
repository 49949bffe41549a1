// Tenure for Node: the same module, read from the package's own folder.
import { readFile } from "node:fs/promises";
import { loadFrom } from "./module.js";

loadFrom((name) => readFile(new URL(`../dist/${name}`, import.meta.url)));

export * from "./index.js";
