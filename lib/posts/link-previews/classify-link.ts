// Classifies a URL by its text alone: tweet, video, sandbox, pen or page.

import type { LinkPreviewKind } from "./link-preview.ts";

export interface ClassifiedLink {
  readonly kind: LinkPreviewKind;
  /** The id of the tweet, video, playlist, sandbox or pen. */
  readonly id?: string;
  /** The URL in the form that the provider's oEmbed endpoint expects. */
  readonly canonicalUrl: string;
  /** Built from the id, never taken from a response. */
  readonly playerUrl?: string;
}

const TWITTER_HOSTS = new Set([
  "twitter.com",
  "www.twitter.com",
  "mobile.twitter.com",
  "x.com",
  "www.x.com",
  "mobile.x.com",
]);
const YOUTUBE_HOSTS = new Set([
  "youtube.com",
  "www.youtube.com",
  "m.youtube.com",
  "music.youtube.com",
  "www.youtube-nocookie.com",
  "youtube-nocookie.com",
]);
const CODESANDBOX_HOSTS = new Set(["codesandbox.io", "www.codesandbox.io"]);
const CODEPEN_HOSTS = new Set(["codepen.io", "www.codepen.io"]);

const VIDEO_ID = /^[\w-]{11}$/;
const LIST_ID = /^[\w-]{10,64}$/;

/** Parses "90", "90s", "1m30s" or "1h2m3s" to seconds. Returns 0 for anything else. */
function parseStartSeconds(text: string | null): number {
  const parts = /^(?:(\d{1,3})h)?(?:(\d{1,4})m)?(?:(\d{1,6})s?)?$/.exec(text ?? "");
  if (!parts) return 0;
  const [hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map((part) => Number(part ?? 0));
  return hours * 3_600 + minutes * 60 + seconds;
}

function classifyTweet(url: URL): ClassifiedLink | null {
  const match = /^\/(?:i\/web|i|[A-Za-z0-9_]{1,20})\/status(?:es)?\/(\d{1,20})(?:\/|$)/.exec(
    url.pathname,
  );
  if (!match) return null;
  const user = url.pathname.split("/")[1];
  return {
    kind: "tweet",
    id: match[1],
    canonicalUrl: `https://twitter.com/${user}/status/${match[1]}`,
  };
}

function classifyYoutube(url: URL): ClassifiedLink | null {
  const isShort = url.hostname === "youtu.be";
  const [, first = "", second = ""] = url.pathname.split("/");
  const list = url.searchParams.get("list");
  const id = isShort
    ? first
    : first === "watch"
      ? (url.searchParams.get("v") ?? "")
      : ["shorts", "live", "embed", "v"].includes(first)
        ? second
        : "";
  if (VIDEO_ID.test(id)) {
    const player = new URL(`https://www.youtube-nocookie.com/embed/${id}`);
    const start = parseStartSeconds(url.searchParams.get("t") ?? url.searchParams.get("start"));
    player.searchParams.set("autoplay", "1"); // the reader has already clicked "Play"
    if (start > 0) player.searchParams.set("start", String(start));
    if (list && LIST_ID.test(list)) player.searchParams.set("list", list);
    return {
      kind: "youtube",
      id,
      canonicalUrl: `https://www.youtube.com/watch?v=${id}`,
      playerUrl: player.href,
    };
  }
  if (
    !isShort &&
    (first === "playlist" || (first === "embed" && second === "videoseries")) &&
    list &&
    LIST_ID.test(list)
  ) {
    return {
      kind: "youtube",
      id: list,
      canonicalUrl: `https://www.youtube.com/playlist?list=${list}`,
      playerUrl: `https://www.youtube-nocookie.com/embed/videoseries?list=${list}&autoplay=1`,
    };
  }
  return null;
}

function classifyCodesandbox(url: URL): ClassifiedLink | null {
  const id = /^\/(?:s|embed|p\/(?:sandbox|devbox))\/([\w-]{3,120})\/?$/.exec(url.pathname)?.[1];
  if (!id) return null;
  return {
    kind: "codesandbox",
    id,
    canonicalUrl: `https://codesandbox.io/s/${id}`,
    playerUrl: `https://codesandbox.io/embed/${id}?hidenavigation=1`,
  };
}

function classifyCodepen(url: URL): ClassifiedLink | null {
  const match =
    /^\/((?:team\/)?[\w-]{1,60})\/(?:pen|full|details|embed)\/([A-Za-z0-9]{4,40})\/?$/.exec(
      url.pathname,
    );
  if (!match) return null;
  const [, user, id] = match;
  return {
    kind: "codepen",
    id,
    canonicalUrl: `https://codepen.io/${user}/pen/${id}`,
    playerUrl: `https://codepen.io/${user}/embed/${id}?default-tab=result`,
  };
}

/**
 * Returns the kind of `text`, with id and player if it has one; null if it is not an http(s) URL.
 */
export function classifyLink(text: string): ClassifiedLink | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") return null;
  const { hostname } = url;
  const classified =
    (TWITTER_HOSTS.has(hostname) && classifyTweet(url)) ||
    ((YOUTUBE_HOSTS.has(hostname) || hostname === "youtu.be") && classifyYoutube(url)) ||
    (CODESANDBOX_HOSTS.has(hostname) && classifyCodesandbox(url)) ||
    (CODEPEN_HOSTS.has(hostname) && classifyCodepen(url));
  return classified || { kind: "page", canonicalUrl: url.href };
}
