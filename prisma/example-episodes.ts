// Publishes two example episodes, so that a new site shows how calls look and sound.

import { readFileSync } from "node:fs";
import { DAY_MS } from "#lib/core/clock.ts";
import type { Tx } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { probeAudio } from "#lib/calls/audio/probe.ts";
import { episodeSlug } from "#lib/calls/publish.ts";
import { insertAnswer, insertCall, insertEpisode } from "#tests/support/factories.ts";

const EPISODES = [
  {
    title: "Why one file and not a server?",
    description:
      "You keep everything in one SQLite file next to the process. When would you take a database server instead?",
    keywords: "sqlite, postgres, architecture",
    transcript:
      "When more than one program must write at the same time, and they can't go through one process.\n\nUp to there, a file next to the reader answers in microseconds, and a backup is a copy.",
    daysAgo: 34,
  },
  {
    title: "What happens while the primary is away?",
    description:
      "Your posts say that reads go on during a failover. What do I see as a reader if I press a button just then?",
    keywords: "failover, litefs, writes",
    transcript:
      "Pages keep coming from the copy in your region. A form tells you that the site can't save for a moment, and keeps what you typed.\n\nA few seconds later, another region has taken over, and the same button works.",
    daysAgo: 6,
  },
] as const;

/** Returns the number of episodes. `callers`: the members who asked. The answer plays the jingle. */
export async function insertExampleEpisodes(
  tx: Tx,
  callers: readonly { readonly id: string; readonly firstName: string }[],
  nowMs: number,
): Promise<number> {
  const audio = new Uint8Array(readFileSync("public/podcast/intro.mp3"));
  const { contentType, durationMs } = await probeAudio(audio);
  for (const [i, { daysAgo, transcript, ...texts }] of EPISODES.entries()) {
    const { id: userId, firstName } = callers[i % callers.length]!;
    const publishedAt = nowMs - daysAgo * DAY_MS;
    const { id: callId } = insertCall(tx, {
      ...texts,
      userId,
      createdAt: publishedAt - 3 * DAY_MS,
    });
    sqlOf(tx).run(`UPDATE "CallReview" SET "state" = 'PUBLISHED' WHERE "callId" = ?`, callId);
    insertAnswer(tx, { callId, createdAt: publishedAt, contentType, durationMs, audio });
    insertEpisode(tx, {
      ...texts,
      callId,
      slug: episodeSlug(i + 1, texts.title),
      callerName: firstName,
      publishedAt,
      updatedAt: publishedAt,
      transcript,
    });
  }
  return EPISODES.length;
}
