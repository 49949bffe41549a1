// Holds the modules to their size, and to what they may ask of their host.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 150 * 1024;

for (const name of ["tenure", "archive"]) {
  const bytes = readFileSync(new URL(`../dist/${name}_bg.wasm`, import.meta.url));
  const size = gzipSync(bytes, { level: 9 }).length;
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes));
  const strange = imports.filter(({ module }) => module !== `./${name}_bg.js`);
  console.log(
    `${name}_bg.wasm: ${bytes.length} bytes, ${size} gzipped, of ${LIMIT} allowed; ${imports.length} imports`,
  );
  if (size > LIMIT) {
    console.error(`the module is ${size - LIMIT} bytes larger than it may be`);
    process.exitCode = 1;
  }
  if (strange.length > 0) {
    console.error(`the module asks for what no browser has: ${JSON.stringify(strange)}`);
    process.exitCode = 1;
  }
}
