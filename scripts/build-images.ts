// Resizes and encodes the images of content/ and public/images.

import { env } from "#lib/core/env.ts";
import { buildImages } from "#lib/posts/source/build-images.ts";

const startedMs = performance.now();
const { built, unchanged, removed, failed } = await buildImages(
  [
    { dir: `${env.CONTENT_DIR}/blog`, prefix: "blog/" },
    { dir: `${env.CONTENT_DIR}/pages`, prefix: "pages/" },
    { dir: "public/images", prefix: "/images/" },
  ],
  "public/_img",
  "/_img",
  (file, ms) => console.log(`${file} (${Math.round(ms)} ms)`),
);
for (const { file, reason } of failed) console.error(`${file}: ${reason}`);
console.log(
  `Images: ${made} built, ${kept} unchanged, ${removed} files removed, ${failed.length} unreadable, ${((performance.now() - startedMs) / 1_000).toFixed(1)} s.`,
);
process.exitCode = failed.length > 0 ? 1 : 0;
