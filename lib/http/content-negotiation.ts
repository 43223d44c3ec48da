// Removes refused types and codings (q=0) from Accept and Accept-Encoding, because the rewrites in
// next.config.mjs only look for names in these headers.

import type { RequestContext } from "#lib/core/request-context.ts";

interface Choice {
  /** Lower case, without parameters. */
  readonly name: string;
  /** From 0 (refused) to 1 (RFC 9110, 12.4.2). */
  readonly quality: number;
  readonly text: string;
}

function parseChoices(header: string): Choice[] {
  return header.split(",").map((text) => {
    const [name = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
    return { name, quality: Number(quality ?? 1), text: text.trim() };
  });
}

const join = (choices: readonly Choice[]) => choices.map(({ text }) => text).join(", ");
const isAccepted = ({ quality }: Choice) => quality !== 0;

/** Returns Accept-Encoding without refused codings. */
export const acceptedEncodings = (header: string): string =>
  join(parseChoices(header).filter(isAccepted));

/**
 * Returns Accept without refused types, and without Markdown if the client prefers HTML. The most
 * specific range decides about HTML (RFC 9110, 12.5.1).
 */
export function acceptedTypes(header: string): string {
  const all = parseChoices(header);
  const html =
    ["text/html", "text/*", "*/*"].flatMap((range) =>
      all.filter(({ name }) => name === range).map(({ quality }) => quality),
    )[0] ?? 0;
  const choices = all.filter(isAccepted);
  return join(choices.filter(({ name, quality }) => name !== "text/markdown" || quality >= html));
}

/** Pipeline step. Rewrites both headers of the request. */
export function removeRefusedChoices({ request: { headers } }: RequestContext): void {
  if (headers.accept?.includes(";")) headers.accept = acceptedTypes(headers.accept);
  const encodings = headers["accept-encoding"];
  if (typeof encodings === "string" && encodings.includes(";"))
    headers["accept-encoding"] = acceptedEncodings(encodings);
}
