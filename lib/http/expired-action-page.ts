// Renders the page for an expired server action: a form of an older deployment, submitted without
// JavaScript. Next responds with one line of text; this page returns the user's input.

import { escapeHtml } from "#lib/core/escape-html.ts";

/**
 * Several times the size of the longest form. Parsing 1 MB of small fields blocks the event loop
 * for half a second.
 */
export const MAX_CAPTURED_BYTES = 100_000;
const MAX_TEXT_LENGTH = 5_000;
const MAX_FIELDS = 50;
/** Fields that the user did not type, or that are secret. */
const HIDDEN_FIELDS =
  /^(\$ACTION.*|id|next|code|token|session|uploadId|expected\w*|key|instance|q)$/;

async function readTextFields(
  body: Buffer | null,
  contentType: string,
): Promise<[name: string, text: string][]> {
  if (!body) return [];
  try {
    const form = await new Response(new Uint8Array(body), {
      headers: { "content-type": contentType },
    }).formData();
    return [...form]
      .filter(
        (entry): entry is [string, string] =>
          typeof entry[1] === "string" && !HIDDEN_FIELDS.test(entry[0]) && entry[1].trim() !== "",
      )
      .slice(0, MAX_FIELDS);
    // oxlint-disable-next-line lectern/no-swallowed-replay -- only parses
  } catch {
    return []; // not a form
  }
}

/** Returns the page as HTML. `path` is the page to reload. */
export async function renderExpiredActionPage({
  body,
  contentType,
  path,
}: {
  body: Buffer | null;
  contentType: string;
  path: string;
}): Promise<string> {
  const texts = await readTextFields(body, contentType);
  const fields = texts.map(
    ([name, text]) =>
      `<p><label>${escapeHtml(name)}<br><textarea readonly rows="${text.length > 80 ? 8 : 2}" cols="60">\n${escapeHtml(text.slice(0, MAX_TEXT_LENGTH))}</textarea></label></p>`,
  );
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><meta name="robots" content="noindex"><title>The site has changed</title></head>
<body>
<main>
<h1>The site has changed since this page was loaded.</h1>
<p>Nothing was sent. ${texts.length > 0 ? "What you wrote is here: copy it, and" : "Please"} <a href="${escapeHtml(path)}">load the page again</a>.</p>
${fields.join("\n")}
</main>
</body>
</html>
`;
}
