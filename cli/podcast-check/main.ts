// Checks a podcast feed and its files against the rules of directories.
// Run: npm run podcast:check [-- URL]

import { exitWithUsage, parseCommandLine } from "#cli/command-line.ts";
import { PODCAST_PATH } from "#lib/calls/podcast.ts";
import { pluralize } from "#lib/core/format.ts";
import { env } from "#lib/core/env.ts";
import { checkFeed } from "./feed-rules.ts";
import { checkFiles } from "./file-rules.ts";

const TIMEOUT_MS = 30_000;

const usage = `Usage: npm run podcast:check [-- URL]

Requests the podcast feed at URL, its artwork, audio, transcripts and chapters, and prints which
rules of podcast directories they break. URL is by default SITE_URL with ${PODCAST_PATH}.
Exit code: 0 directories will accept it, 1 they won't, 2 the feed can't be read.`;

const { words } = parseCommandLine(usage, {}, { words: true });
if (words.length > 1) exitWithUsage(`Unexpected argument: "${words[1]}".`, usage);
const url = words[0] === undefined ? env.SITE_URL + PODCAST_PATH : parseUrl(words[0]);

function parseUrl(word: string): string {
  const parsed = URL.parse(word);
  if (parsed && /^https?:$/.test(parsed.protocol)) return parsed.href;
  return exitWithUsage(
    `"${word}" is not a URL. Enter the feed's URL, such as https://example.com${PODCAST_PATH}.`,
    usage,
  );
}

try {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`it returns ${response.status}`);
  const body = await response.text();
  if (/^\s*<(!doctype html|html)/i.test(body)) {
    console.error(
      `${url} is a web page, not a feed. Try ${new URL(PODCAST_PATH, url).href}, or the feed's own URL.`,
    );
    process.exit(2);
  }
  const { problems, files } = checkFeed(body);
  const all = [...problems, ...(await checkFiles(files))];
  for (const { source, episode, message } of all)
    console.log(`${episode ? `${episode}: ` : ""}${message} (${source})`);
  console.log(
    all.length === 0
      ? `${url} passes: ${pluralize(files.episodes.length, "episode")}.`
      : `${url} has ${pluralize(all.length, "problem")}.`,
  );
  process.exitCode = all.length === 0 ? 0 : 1;
} catch (error) {
  const { message, cause } = error as Error;
  const reason = (cause as NodeJS.ErrnoException | undefined)?.code ?? message;
  console.error(`${url} can't be read: ${reason}`);
  process.exitCode = 2;
}
