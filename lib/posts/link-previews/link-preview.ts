// What a link in a post becomes: the data of a card.

import { createHash } from "node:crypto";
import { z } from "zod";

export const linkPreviewKinds = ["tweet", "youtube", "codesandbox", "codepen", "page"] as const;
export type LinkPreviewKind = (typeof linkPreviewKinds)[number];

export const linkPreviewSchema = z.object({
  /** As it stands in the post. */
  url: z.string(),
  kind: z.enum(linkPreviewKinds),
  /** At most 200 characters, plain text. */
  title: z.string(),
  /** At most 400 characters, plain text; of a tweet its whole text, with its line breaks. */
  description: z.string().optional(),
  siteName: z.string().optional(),
  author: z.string().optional(),
  /** When it was published, in the words of the provider. */
  published: z.string().optional(),
  /** The picture at its source. Never put it in a page: that would tell a stranger who reads what. */
  imageUrl: z.string().optional(),
  /** The picture as we serve it, with its size in pixels; only where it was fetched and is one. */
  image: z.object({ path: z.string(), width: z.number(), height: z.number() }).optional(),
  /** What a frame shows, loaded only on click; always on a host of player-hosts.ts. */
  playerUrl: z.string().optional(),
});

/** The data of a card. Texts are plain: escape them like any other text. */
export type LinkPreview = z.output<typeof linkPreviewSchema>;

/** The name of a URL in the cache and in /embed-image/: 32 hex digits. */
export function linkPreviewKey(url: string): string {
  return createHash("sha256").update(url).digest("hex").slice(0, 32);
}
