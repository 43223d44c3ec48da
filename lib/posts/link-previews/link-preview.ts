// Defines the preview of a link in a post: the data of a card.

import { createHash } from "node:crypto";
import { z } from "zod";

export const linkPreviewKinds = ["tweet", "youtube", "codesandbox", "codepen", "page"] as const;
export type LinkPreviewKind = (typeof linkPreviewKinds)[number];

export const linkPreviewSchema = z.object({
  /** As written in the post. */
  url: z.string(),
  kind: z.enum(linkPreviewKinds),
  /** At most 200 characters, plain text. */
  title: z.string(),
  /** At most 400 characters, plain text; for a tweet, its text with line breaks. */
  description: z.string().optional(),
  siteName: z.string().optional(),
  author: z.string().optional(),
  /** The publication date, as the provider formats it. */
  published: z.string().optional(),
  /**
   * The original image. Must not appear in a page, since it would reveal the reader to a third
   * party.
   */
  imageUrl: z.string().optional(),
  /**
   * The image as served by this site, with its size in pixels. Absent if it could not be fetched.
   */
  image: z.object({ path: z.string(), width: z.number(), height: z.number() }).optional(),
  /** The player's URL, loaded only on click. Always on a host in player-hosts.ts. */
  playerUrl: z.string().optional(),
});

/** Text fields are plain text: escape them. */
export type LinkPreview = z.output<typeof linkPreviewSchema>;

/** Returns the key of a URL in the cache and in /embed-image/: 32 hex digits. */
export function linkPreviewKey(url: string): string {
  return createHash("sha256").update(url).digest("hex").slice(0, 32);
}
