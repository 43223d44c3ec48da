// Parses HTML or XML in linear time.

import { type Handler, Parser, type ParserOptions } from "htmlparser2";

/** The parser takes quadratic time for nested elements. No real document is this deep. */
const MAX_DEPTH = 2_000;
const CHUNK_CHARS = 16_384;

/**
 * Calls `handler` for the tags and text of `text`. Closes open elements at the end, or where
 * nesting gets too deep. Returns whether it reached the end.
 */
export function parseMarkup(
  text: string,
  handler: Required<Pick<Handler, "onopentag" | "onclosetag" | "ontext">>,
  options?: ParserOptions,
): boolean {
  let depth = 0;
  const parser = new Parser(
    {
      ontext: handler.ontext,
      onopentag(...tag) {
        depth += 1;
        handler.onopentag(...tag);
      },
      onclosetag(...tag) {
        depth -= 1;
        handler.onclosetag(...tag);
      },
    },
    options,
  );
  let start = 0;
  for (; start < text.length && depth <= MAX_DEPTH; start += CHUNK_CHARS)
    parser.write(text.slice(start, start + CHUNK_CHARS));
  parser.end();
  return start >= text.length;
}
