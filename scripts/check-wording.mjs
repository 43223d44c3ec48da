// Finds words in code, comments and docs that docs/glossary.md replaces, and names the standard
// term.
// Run: node scripts/check-wording.mjs [file …]

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** [pattern, what to write instead]. Patterns match whole words, in any case. */
const BANNED = [
  ["anew", "again"],
  ["begun", "started"],
  ["mended|mends?|mending", "fixed, repaired"],
  ["for ever", "forever, indefinitely"],
  ["whoever", "name the person or the part of the program"],
  ["(?:the|a) site before", "the source site"],
  ["(?<!there )(?:is|are) none", "there is no …"],
  ["is such an?", "name it"],
  ["of ours|of its own accord", "our …"],
  ["some (?:seconds|minutes|hours|milliseconds)", "a few …"],
  ["log-in(?!\\.ts|-)", "login (noun), log in (verb)"],
  ["signs? of life", "heartbeat"],
  ["private notes|trap \\d+|fault \\d+ of the reference|reference\\.md", "the fact itself"],
  ["stands in (?:the|a) (?:list|text|file|table|row|answer|place)", "is in"],
  ["lies (?:in|on|beside) (?:the|a)", "is in"],
];

/** Names of the old private language. They match as written. */
const BANNED_NAMES = [
  "writeAs",
  "snapshotSql",
  "openSeal",
  "letIn",
  "brief-cookie",
  "stale-form",
  "rest-of-body",
  "tameUrl",
  "glancer",
  "heldWords",
  "putAside",
  "Moved_aside",
  "inTurn",
  "kept-sounds",
  "takeCall",
  "putBackCall",
];

const EXTENSIONS =
  /\.(ts|tsx|mjs|js|cjs|css|md|mdx|yml|toml|prisma|sql|sh)$|(^|\/)Dockerfile$|^\.env\.example$/;
/** Third-party text, translations, generated files, and the lists of banned words themselves. */
const EXCLUDED =
  /^(tests\/fixtures\/corpus\/|prisma\/migrations\/|public\/|scripts\/check-wording\.mjs$|docs\/glossary\.md$|CHANGELOG\.md$)|-(de|es)\.mdx$/;

/** Test data whose exact text matters: cookies were signed with it. */
const ALLOWED = "a secret of the site before";

const words = new RegExp(`\\b(?:${BANNED.map(([pattern]) => `(${pattern})`).join("|")})\\b`, "gi");
const names = new RegExp(`\\b(?:${BANNED_NAMES.join("|")})\\b`, "g");

const listed = process.argv.slice(2);
const files = (
  listed.length > 0
    ? listed
    : execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
        encoding: "utf8",
        maxBuffer: 1 << 26,
      }).split("\n")
).filter((file) => EXTENSIONS.test(file) && !EXCLUDED.test(file));

let count = 0;
for (const file of files) {
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    continue; // deleted, but still in the index
  }
  text.split("\n").forEach((line, i) => {
    const report = (word, instead) => {
      count += 1;
      console.log(`${file}:${i + 1}: “${word}”: ${instead}`);
    };
    for (const match of line.replace(ALLOWED, "").matchAll(words))
      report(match[0], BANNED[match.slice(1).findIndex(Boolean)][1]);
    for (const match of line.matchAll(names)) report(match[0], "see docs/glossary.md");
  });
}
if (count > 0) {
  console.log(`\n${count} words that docs/glossary.md replaces.`);
  process.exitCode = 1;
}
