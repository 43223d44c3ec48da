// Decides which images of other hosts a post shows, by the owner's image settings.

import type { Image } from "#lib/posts/image.ts";
import { IMAGE_WIDTHS } from "./image-job.ts";

export interface ImageRewrite {
  /** Prefix of the source as written: "/media/". */
  readonly from: string;
  /** What replaces it: "https://cdn.example/". */
  readonly to: string;
  /** Resizing parameters of that host: "w={width}&q={quality}". */
  readonly query?: string;
}

export interface ExternalImageSettings {
  /** Hosts that remote images may come from: "images.example.com", "*.example.com", "*". */
  readonly imageHosts: readonly string[];
  readonly imageRewrites?: readonly ImageRewrite[];
}

const QUALITY = "75";
/** The text column. */
const DEFAULT_WIDTH = IMAGE_WIDTHS[1];

/** Returns the image at `src` by the first rewrite whose prefix matches; null if none does. */
export function rewriteImage(src: string, rewrites: readonly ImageRewrite[] = []): Image | null {
  const rewrite = rewrites.find(({ from }) => src.startsWith(from));
  if (!rewrite) return null;
  const { from, to, query } = rewrite;
  const url = to.replace(/\/*$/, "/") + encodePath(src.slice(from.length));
  if (query === undefined || query === "") return { src: url };
  const sized = (width: number) =>
    url +
    (url.includes("?") ? "&" : "?") +
    query
      .replace(/^[?&]/, "")
      .replaceAll("{width}", String(width))
      .replaceAll("{quality}", QUALITY);
  return {
    src: sized(DEFAULT_WIDTH),
    ...(query.includes("{width}") && {
      srcset: IMAGE_WIDTHS.map((width) => `${sized(width)} ${width}w`).join(", "),
    }),
  };
}

/** Encodes what would end a URL in a srcset; keeps existing escapes. */
const encodePath = (path: string) => path.replace(/[\s,"'<>`\\]/g, encodeURIComponent);

/** Returns the remote image at `src` if its host is allowed, else null. */
export function allowRemoteImage(src: string, hosts: readonly string[]): Image | null {
  const url = src.startsWith("//") ? `https:${src}` : src;
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return null;
  return isAllowedHost(new URL(url).hostname, hosts) ? { src: url } : null;
}

/**
 * Returns whether `host` matches one of `patterns`: "a.example", "*.example" (every subdomain), "*"
 * (all).
 */
export function isAllowedHost(host: string, patterns: readonly string[]): boolean {
  const name = host.toLowerCase();
  if (name === "") return false;
  return patterns.some((pattern) => {
    const expected = pattern.toLowerCase();
    return (
      expected === "*" ||
      expected === name ||
      (expected.startsWith("*.") && name.endsWith(expected.slice(1)))
    );
  });
}
