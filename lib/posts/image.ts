// Defines an image as pages show it: in posts, in the build's manifest, and above a post.

export interface Image {
  /** URL of the fallback file. */
  readonly src: string;
  /** Natural size in CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** A data: URL of at most 400 bytes, shown until the image has loaded. */
  readonly blur?: string;
  /** Other formats, best first; `srcset` with width descriptors. */
  readonly sources?: readonly { readonly type: string; readonly srcset: string }[];
}

/**
 * Maps an image source as written in the post ("./hero.png", "/images/x.png") to the image to show.
 */
export type PostImages = Readonly<Record<string, Image>>;
