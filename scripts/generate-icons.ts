// Makes the icons for home screens from public/icon.svg: node scripts/generate-icons.ts

import { readFileSync } from "node:fs";
import sharp from "sharp";

/**
 * Without rounded corners and dark colors, because operating systems mask and color icons
 * themselves.
 */
const svg = readFileSync("public/icon.svg", "utf8")
  .replace(/@media[^{]*\{(?:[^{}]*\{[^}]*\})*\}/, "")
  .replace(/ rx="\d+"/, "");

for (const [name, size] of [
  ["apple-touch-icon", 180],
  ["icon-192", 192],
  ["icon-512", 512],
] as const)
  await sharp(Buffer.from(svg), { density: (72 * size) / 32 })
    .resize(size, size)
    .png({ palette: true, colours: 32 })
    .toFile(`public/${name}.png`);
