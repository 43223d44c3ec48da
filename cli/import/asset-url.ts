// Recognizes the images and files of a post by their URLs.

import { detectImageType } from "#lib/posts/images/image-type.ts";

export const IMAGE_FILE = /\.(?:png|jpe?g|gif|webp|avif|svg)(?:[?#].*)?$/i;
/** Files that a post may link to, apart from images. */
const FILE_EXTENSION = /\.(?:pdf|zip|epub|mp3|m4a|ogg|wav|mp4|webm|mov|csv|txt|docx|xlsx|pptx)$/i;
const UPLOAD_PATH = /\/(?:wp-content\/uploads|content\/(?:images|media|files))\//;

/**
 * Returns the URL of the original behind an image proxy or a resized copy; "" for anything but an
 * http(s) URL. `siteUrl` is the origin for paths; without one, paths stay paths.
 */
export function originalUrl(url: string, siteUrl: string): string {
  const source = url.trim().startsWith("//") ? `https:${url.trim()}` : url.trim();
  const absolute = source.startsWith("/") && siteUrl ? `${siteUrl}${source}` : source;
  if (absolute.startsWith("/")) return removeGhostSize(absolute);
  if (!/^https?:\/\//i.test(absolute) || !URL.canParse(absolute)) return "";
  const parsed = new URL(absolute);
  // Substack's proxy has the original's URL as its last part.
  const inner = /\/image\/fetch\/.*?(https?%3A%2F%2F.*)$/i.exec(parsed.pathname)?.[1];
  const isSubstack = /(^|\.)(substackcdn\.com|cdn\.substack\.com)$/.test(parsed.hostname);
  // Jetpack's proxy has it as its path.
  const isJetpack = /^i\d\.wp\.com$/.test(parsed.hostname);
  const proxied =
    inner && isSubstack ? decodeIfEncoded(inner) : isJetpack ? `https:/${parsed.pathname}` : "";
  if (URL.canParse(proxied)) return proxied;
  if (UPLOAD_PATH.test(parsed.pathname)) parsed.search = "";
  parsed.hash = "";
  return removeGhostSize(parsed.href);
}

/** Decodes `text`. Returns it unchanged if it is not URL-encoded. */
export function decodeIfEncoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const removeGhostSize = (url: string) =>
  url.replace(/\/content\/images\/size\/[^/]+\//, "/content/images/");

/** Returns whether `url` is an uploaded file of the old site. */
export function isUploadedFile(url: string, siteUrl: string): boolean {
  const original = originalUrl(url, siteUrl);
  if (original === "") return false;
  const path = original.replace(/[?#].*$/, "");
  return UPLOAD_PATH.test(path) && (FILE_EXTENSION.test(path) || IMAGE_FILE.test(path));
}

/** Returns a file name for `url`, with the extension that matches its bytes. */
export function assetFileName(url: string, bytes: Uint8Array): string | null {
  const path = url.replace(/[?#].*$/, "");
  const base = decodeIfEncoded(path.split("/").at(-1) ?? "");
  const own = FILE_EXTENSION.exec(base)?.[0].toLowerCase();
  const type = detectImageType(bytes);
  const extension = type !== null ? `.${type}` : isHtml(bytes) ? null : own;
  if (!extension) return null;
  const stem = base
    .replace(/\.[a-z0-9]{1,5}$/i, "")
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return `${stem || "file"}${extension}`;
}

/** A defunct site often responds to every URL with a page. */
const isHtml = (bytes: Uint8Array) =>
  /^\s*<(?:!doctype html|html|head)/i.test(Buffer.from(bytes.subarray(0, 200)).toString("latin1"));
