// Defines an image as pages show it: in posts, in lists and above a post.

import { posix } from "node:path";

export interface Image {
  /** URL of the fallback file. */
  readonly src: string;
  /** Natural size in CSS pixels; unknown for an image of another host. */
  readonly width?: number;
  readonly height?: number;
  /** A data: URL of at most 400 bytes, shown until the image has loaded. */
  readonly blur?: string;
  /** Sizes for the fallback file's format, with width descriptors. */
  readonly srcset?: string;
  /** Other formats, best first; `srcset` with width descriptors. */
  readonly sources?: readonly { readonly type: string; readonly srcset: string }[];
}

/**
 * Maps an image source as written in the post ("./hero.png", "/images/x.png") to the image to show.
 * Null: the file is broken, and its warning already exists.
 */
export type PostImages = Readonly<Record<string, Image | null>>;

/** Returns a decoded source as PostImages has it: "./a.png", "../a.png" or "/a.png". */
export function normalizeImageName(path: string): string {
  const name = posix.normalize(path.normalize("NFC"));
  return name.startsWith("/") || name.startsWith("../") ? name : `./${name}`;
}
