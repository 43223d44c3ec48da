// Checks a podcast feed and its files against the rules of directories.
// Run: npm run podcast:check [-- URL]

import { parseCommandLine } from "#cli/command-line.ts";
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
const url = words[0] ?? env.SITE_URL + PODCAST_PATH;

try {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`it returns ${response.status}`);
  const { problems, files } = checkFeed(await response.text());
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
  console.error(`${url} can't be read: ${(error as Error).message}`);
  process.exitCode = 2;
}
