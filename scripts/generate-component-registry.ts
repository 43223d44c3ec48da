// Writes content/components.generated.ts, so that the build includes the components beside posts.

import { readFileSync, writeFileSync } from "node:fs";
import { listLocalComponents, renderRegistryModule } from "#lib/posts/source/component-registry.ts";

const FILE = "content/components.generated.ts";

// A build can import only content from this repository, whatever CONTENT_DIR says.
const files = listLocalComponents("content");
const registryText = renderRegistryModule(files);
let currentText = "";
try {
  currentText = readFileSync(FILE, "utf8");
} catch {
  // The file doesn't exist yet.
}
// Rewriting an unchanged file would make the development server rebuild everything.
if (currentText !== registryText) writeFileSync(FILE, registryText);
console.log(
  `Components beside posts: ${Object.values(files).flat().length} in ${Object.keys(files).length} posts.`,
);
