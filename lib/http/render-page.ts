// Renders a page for everyone: requests it from this process without any header or cookie of the
// client, so that nothing personal can be in it.

import { Agent, type IncomingHttpHeaders } from "node:http";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { SECOND_MS } from "#lib/core/clock.ts";
import { requestInternal } from "#lib/core/internal-request.ts";
import { RENDER_HEADER, renderToken } from "#lib/core/render-request.ts";
import { peekSingleton, singleton } from "#lib/core/singleton.ts";
import { createETag } from "./conditional-response.ts";
import type { CacheableAddress } from "./cacheable-addresses.ts";
import { type PageTemplate, parseTemplate, unpooled } from "./page-template.ts";

export type Encoding = "br" | "gzip" | "identity";

export interface RenderedPage {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Images have only `identity`. */
  readonly bodies: { readonly identity: Buffer; readonly br?: Buffer; readonly gzip?: Buffer };
  /** The same page, with the parts that differ between readers; null for a file. */
  readonly template: PageTemplate | null;
}

/** If a page takes longer, the client gets Next's own response. */
const TIMEOUT_MS = 30 * SECOND_MS;
const MAX_BYTES = 10 * 1_048_576;
/** 5 compresses an article in about 3 ms, off the event loop. 11 takes 100 ms for 10% less. */
const BROTLI_QUALITY = 5;

const COMPRESSIBLE = /^text\/|\b(xml|json)\b/;

/** Headers that belong to the connection or to a single response. */
const OWN_HEADERS =
  /^(connection|keep-alive|transfer-encoding|content-length|content-encoding|date|etag|server-timing|x-nextjs-cache)$/;

const agent = new Agent({ keepAlive: true, maxSockets: 16 });

/** Sets the origin of this process's own server, which renderPage() requires. */
export function setRenderOrigin(origin: string): void {
  singleton("render-origin", () => origin);
}

/** Returns whether renderPage() can be used: in production, once the server listens. */
export const canRenderPages = (): boolean => peekSingleton("render-origin") !== undefined;

/** Returns the response to GET. Throws if none arrives within 30 seconds. */
export async function renderPage({ path, kind }: CacheableAddress): Promise<RenderedPage> {
  const response = await requestInternal(`${peekSingleton<string>("render-origin")}${path}`, {
    agent,
    headers: { accept: kind === "page" ? "text/html" : "*/*", [RENDER_HEADER]: renderToken() },
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_BYTES,
  });
  const { status, headers } = response;
  // A page that is sent as a file would show its marks, and lack its readers' parts.
  if (kind === "file" && headers["content-type"]?.startsWith("text/html"))
    throw new Error("This file is a page.");
  const template = kind === "page" ? parseTemplate(response.body) : null;
  const body = template?.page ?? response.bytes;
  return {
    status,
    // Next's ETag is of the page with its scripts.
    headers: { ...sharedHeaders(headers), etag: createETag(body) },
    bodies: {
      identity: body,
      ...(COMPRESSIBLE.test(headers["content-type"] ?? "") && (await compress(body))),
    },
    template,
  };
}

async function compress(body: Buffer): Promise<{ br: Buffer; gzip: Buffer }> {
  const [br, gzipped] = await Promise.all([
    promisify(brotliCompress)(body, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
      },
    }),
    promisify(gzip)(body),
  ]);
  return { br: unpooled(br), gzip: unpooled(gzipped) };
}

function sharedHeaders(headers: IncomingHttpHeaders): RenderedPage["headers"] {
  return Object.fromEntries(
    Object.entries(headers).filter(
      (entry): entry is [string, string | string[]] =>
        entry[1] !== undefined && !OWN_HEADERS.test(entry[0]),
    ),
  );
}
