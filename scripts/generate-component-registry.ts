// Writes content/components.generated.ts, so that the build includes what lies beside folder posts.

import { readFileSync, writeFileSync } from "node:fs";
import { listLocalComponents, renderRegistryModule } from "#lib/posts/source/component-registry.ts";

const FILE = "content/components.generated.ts";

// Always the content of this repository: a build can only import what is part of it.
const files = listLocalComponents("content");
const registryText = renderRegistryModule(files);
let currentText = "";
try {
  currentText = readFileSync(FILE, "utf8");
} catch {
  // Made for the first time.
}
// Unchanged text is left alone: a running development server would build everything anew.
if (currentText !== registryText) writeFileSync(FILE, registryText);
console.log(
  `Components beside posts: ${Object.values(files).flat().length} in ${Object.keys(files).length} posts.`,
);
