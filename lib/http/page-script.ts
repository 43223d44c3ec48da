// Replaces Next's scripts and data with one small script, on pages whose components need no React
// (docs/decisions/064-pages-without-react.md).

import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { env } from "#lib/core/env.ts";
import { peekSingleton, singleton } from "#lib/core/singleton.ts";
import type { PipelineContext } from "./pipeline-context.ts";
import type { RouteKind } from "./route-labels.ts";
import type { Replacement } from "./site-response.ts";

/** What scripts/build-page-script.ts writes to .next/page-script.json. */
export interface PageScript {
  /** The script's path. */
  readonly src: string;
  /** The bundler's IDs of the client components that the script replaces. */
  readonly moduleIds: readonly (number | string)[];
}

/** Without it, pages keep Next's scripts. */
export function providePageScript(script: PageScript): void {
  singleton("page-script", () => script);
}

/** Matches the data of React's tree: one call, with an array in JSON. Next escapes each `<` in it. */
const DATA =
  /<script\b[^>]*>(?:\(self\.__next_f=[^)]*\)|self\.__next_f)\.push\((.*?)\)<\/script>/gs;
const LOADERS = [
  /<script\b[^>]*\bsrc="\/_next\/static\/[^"]*"[^>]*><\/script>/g,
  /<link\b[^>]*\brel="preload"[^>]*\bas="script"[^>]*>/g,
  /<script id="_R_">.*?<\/script>/gs,
];
/** Matches what React moves into place with a script, and scripts of Next that the patterns missed. */
const UNFINISHED =
  /<!--\$[?!~]|<template id="[BP]:|<div hidden id="S:|<script\b[^>]*>[^<]*(?:__next_|TURBOPACK|\$R[A-Z]+[=(])/;
/** Matches buttons and times that open the player, which needs React (063-sticky-player.md). */
const PLAYS = /<[^>]+\sdata-plays?="/;
/** Matches a client component in the data: its module's ID comes first. */
const MODULE = /:I\[(?:"([^"]*)"|(\d+))[,\]]/g;

/**
 * Kinds of reading pages. Other pages have forms that need React, and most have a content security
 * policy that allows only Next's scripts.
 */
const READING_KINDS: readonly RouteKind[] = ["home", "list", "post", "episode", "text", "other"];
/** Matches the query of a page that continues an episode, which needs React (063-sticky-player.md). */
const LISTENING = /[?&]listening\b/;

/**
 * Returns the replacement for a reading page: without React, if its components allow it. Returns
 * null for any other response.
 */
export function findReadingPageReplacement(
  { requestedRoute, requestedUrl, request, response }: PipelineContext,
  status: number,
): Replacement | null {
  const contentType = String(response.getHeader("content-type"));
  const encoding = response.getHeader("content-encoding");
  if (
    !env.PAGE_CACHE ||
    !peekSingleton("page-script") ||
    request.method !== "GET" ||
    (status !== 200 && status !== 404) ||
    !contentType.startsWith("text/html") ||
    (encoding !== undefined && encoding !== "gzip") ||
    !READING_KINDS.includes(requestedRoute.kind) ||
    LISTENING.test(requestedUrl)
  )
    return null;
  return {
    status,
    contentType,
    headers: {
      "cache-control": String(response.getHeader("cache-control") ?? "private, no-store"),
      ...(encoding && { "content-encoding": encoding }),
    },
    renderBody: async (body) => {
      const html = String(encoding ? await promisify(gunzip)(body) : body);
      const page = removeFramework(html);
      return encoding ? promisify(gzip)(page) : page;
    },
  };
}

/**
 * Returns the page with the script in place of Next's, or unchanged if it has a component that needs
 * React, or anything unexpected.
 */
export function removeFramework(
  html: string,
  script: PageScript | undefined = peekSingleton<PageScript>("page-script"),
): string {
  if (!script || PLAYS.test(html)) return html;
  const data = readData(html);
  const ids = [...(data?.matchAll(MODULE) ?? [])].map(([, name, number]) => name ?? number!);
  const replaced = new Set(script.moduleIds.map(String));
  if (ids.length === 0 || !ids.every((id) => replaced.has(id))) return html;
  const rest = [DATA, ...LOADERS].reduce((text, pattern) => text.replaceAll(pattern, ""), html);
  if (UNFINISHED.test(rest) || !rest.includes("</head>")) return html;
  return rest.replace(
    "</head>",
    () => `<script type="module" src="${script.src}"></script></head>`,
  );
}

/** Returns the data of React's tree; null if a part of it is not text, or is a post's text about it. */
function readData(html: string): string | null {
  let text = "";
  for (const [, json] of html.matchAll(DATA)) {
    const [kind, part] = parseArray(json!);
    if (kind === 1 && typeof part === "string") text += part;
    else if (kind !== 0) return null;
  }
  return text;
}

function parseArray(json: string): readonly unknown[] {
  try {
    const value = JSON.parse(json) as unknown;
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
