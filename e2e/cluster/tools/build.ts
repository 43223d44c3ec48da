// Builds what a cluster needs, if it can run here. Exit code 3: it can't, and the reasons are printed.

import { findMissing, findTools } from "./tools.ts";

const missing = findMissing();
if (missing.length > 0) {
  console.log(missing.join("\n"));
  process.exitCode = 3;
} else {
  await findTools();
}
