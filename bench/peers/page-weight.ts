// Measures what a browser loads for a page: its HTML and the scripts that the HTML names.

import { brotliCompressSync, constants } from "node:zlib";
import { round } from "#bench/support/measurements.ts";

export interface PageWeight {
  /** As sent to a client that accepts no encoding. */
  readonly htmlKb: number;
  /** Compressed here with the same quality for all, because not all of them compress. */
  readonly htmlBrotliKb: number;
  /** 0 if another server has them: Lectern's page from Fastify. */
  readonly scriptBrotliKb: number;
}

const kb = (bytes: number) => round(bytes / 1_000, 1);
const compress = (bytes: Uint8Array) =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }).length;

const SCRIPT = /<script\b[^>]*\bsrc="[^>]*>|<link\b[^>]*\brel="modulepreload"[^>]*>/g;

/** Returns the URLs of scripts and of modules that the page preloads or imports inline. */
function listScripts(html: string, pageUrl: string): string[] {
  const urls = [...html.matchAll(SCRIPT)]
    .filter(([tag]) => !/\bnomodule\b/i.test(tag)) // for browsers without modules
    .map(([tag]) => /\b(?:src|href)="([^"]+)"/.exec(tag)?.[1]);
  const imports = [...html.matchAll(/\bimport\("([^"]+\.js)"\)|\bimport "([^"]+\.js)"/g)].map(
    ([, dynamic, plain]) => dynamic ?? plain,
  );
  return [
    ...new Set(
      [...urls, ...imports]
        .filter((url) => url !== undefined)
        .map((url) => new URL(url.replaceAll("&amp;", "&"), pageUrl).href),
    ),
  ];
}

export async function measurePageWeight(
  url: string,
  headers: Record<string, string> = {},
): Promise<PageWeight> {
  const load = async (each: string) => {
    const response = await fetch(each, { headers: { ...headers, "accept-encoding": "identity" } });
    return response.ok ? new Uint8Array(await response.arrayBuffer()) : new Uint8Array();
  };
  const html = await load(url);
  const scripts = await Promise.all(
    listScripts(new TextDecoder().decode(html), url)
      .filter((each) => new URL(each).origin === new URL(url).origin)
      .map(load),
  );
  return {
    htmlKb: kb(html.length),
    htmlBrotliKb: kb(compress(html)),
    scriptBrotliKb: kb(
      scripts.reduce((sum, script) => sum + (script.length && compress(script)), 0),
    ),
  };
}
