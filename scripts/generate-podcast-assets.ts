// Generates public/podcast: node scripts/generate-podcast-assets.ts
// cover.png is the square image that podcast apps require (1400 to 3000 pixels, the larger the better), without the site's
// name. intro.mp3 has the two tones before each episode. Requires ffmpeg.

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";

const DIR = "public/podcast";
/** Units of the drawing, and pixels of the file. */
const SIZE = 1500;
const PIXELS = 3000;
const green = "#1a5b4a";
const paper = "#fbfbf9";
const light = "#86cbb2";

/** Draws the site's logo (components/ui/icons.tsx) with sound waves rising from it. */
function renderCover(): string {
  const arcs = [135, 245, 355].map((r, i) => {
    const spread = 0.62;
    const [x, y] = [960, 600];
    const at = (turn: number) =>
      `${(x + r * Math.cos(turn)).toFixed(1)} ${(y + r * Math.sin(turn)).toFixed(1)}`;
    const middle = -Math.PI / 4;
    return `<path d="M${at(middle - spread)}A${r} ${r} 0 0 1 ${at(middle + spread)}" stroke="${light}" stroke-width="40" opacity="${1 - i * 0.24}"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${PIXELS}" height="${PIXELS}" viewBox="0 0 ${SIZE} ${SIZE}"><rect width="${SIZE}" height="${SIZE}" fill="${green}"/><g fill="none" stroke-linecap="round" stroke-linejoin="round">${arcs.join("")}<g transform="translate(110 380) scale(36)" stroke="${paper}" stroke-width="1.55"><path d="M4.6 12.2 6.4 15.4 23.6 6.1M15 10.9v13.3M9.4 24.2h11.2"/></g></g></svg>`;
}

function toneExpression(hertz: number, loudness: number): string {
  const overtone = (times: number, part: number) => `${part}*sin(${2 * times}*PI*${hertz}*t)`;
  return `${loudness}*(${overtone(1, 1)}+${overtone(2, 0.35)}+${overtone(3, 0.12)})*exp(-3.2*t)*(1-exp(-140*t))`;
}

function writeIntro(file: string): void {
  const source = (expression: string, seconds: number) => [
    "-f",
    "lavfi",
    "-i",
    `aevalsrc=exprs='${expression}':s=44100:d=${seconds}`,
  ];
  const together =
    "[1:a]adelay=delays=300:all=1[b];[0:a][b]amix=inputs=2:duration=longest:normalize=0,afade=t=out:st=1.5:d=0.4,lowpass=f=5200";
  execFileSync("ffmpeg", [
    "-hide_banner",
    "-loglevel",
    "error",
    "-y",
    ...source(toneExpression(293.66, 0.3), 1.9),
    ...source(toneExpression(440, 0.26), 1.6),
    "-filter_complex",
    together,
    "-ac",
    "1",
    "-c:a",
    "libmp3lame",
    "-b:a",
    "48k",
    "-map_metadata",
    "-1",
    "-id3v2_version",
    "0",
    "-bitexact",
    file,
  ]);
}

mkdirSync(DIR, { recursive: true });
await sharp(Buffer.from(renderCover()))
  // Apple requires RGB: a palette is refused.
  .flatten({ background: green })
  .png({ palette: false, compressionLevel: 9, effort: 10 })
  .toFile(join(DIR, "cover.png"));
writeIntro(join(DIR, "intro.mp3"));
