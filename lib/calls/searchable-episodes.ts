// Reads the text of published episodes for search.

import type { Prisma, Tx } from "#lib/db/database.ts";
import { IS_PUBLISHED } from "./episodes.ts";
import { transcriptText, unwrapParagraphs } from "./transcript.ts";

const HEAD = {
  number: true,
  slug: true,
  title: true,
  description: true,
  keywords: true,
  publishedAt: true,
  updatedAt: true,
} satisfies Prisma.EpisodeSelect;

export interface EpisodeHead {
  readonly number: number;
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  /** Comma-separated. */
  readonly keywords: string;
  readonly publishedAtMs: number;
  /** Changes with each text, including the transcript. */
  readonly updatedAtMs: number;
}

/** Returns every published episode without its transcript, newest first. */
export async function listEpisodeHeads(tx: Tx): Promise<EpisodeHead[]> {
  const rows = await tx.episode.findMany({
    where: IS_PUBLISHED,
    orderBy: { number: "desc" },
    select: HEAD,
  });
  return rows.map(({ publishedAt, updatedAt, ...row }) => ({
    ...row,
    publishedAtMs: publishedAt.getTime(),
    updatedAtMs: updatedAt.getTime(),
  }));
}

/**
 * Returns what is said in a published episode, as search indexes it; "" if it is not published.
 * Changing it must change Episode.updatedAt.
 */
export async function readSpokenText(tx: Tx, slug: string): Promise<string> {
  const episode = await tx.episode.findUnique({
    where: { ...IS_PUBLISHED, slug },
    select: { transcript: true },
  });
  return unwrapParagraphs(transcriptText(episode?.transcript ?? ""));
}
