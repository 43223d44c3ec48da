// Resizes and encodes the images of content/ and public/images.

import { env } from "#lib/core/env.ts";
import { buildImages } from "#lib/posts/source/build-images.ts";

const startedMs = performance.now();
const { builtCount, reusedCount, removedCount, failures } = await buildImages(
  [
    { dir: `${env.CONTENT_DIR}/blog`, prefix: "blog/" },
    { dir: `${env.CONTENT_DIR}/pages`, prefix: "pages/" },
    { dir: "public/images", prefix: "/images/" },
  ],
  "public/_img",
  "/_img",
  (file, ms) => console.log(`${file} (${Math.round(ms)} ms)`),
);
for (const { file, reason } of failures) console.error(`${file}: ${reason}`);
console.log(
  `Images: ${builtCount} built, ${reusedCount} unchanged, ${removedCount} files removed, ${failures.length} unreadable, ${((performance.now() - startedMs) / 1_000).toFixed(1)} s.`,
);
process.exitCode = failures.length > 0 ? 1 : 0;
