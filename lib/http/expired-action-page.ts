// A form of a page that another version of the site made, sent by a browser that runs no scripts: the action it asks for is not
// there any more, and Next answers with one line of text. Here what was typed comes back, to be copied into the new page.

import { escapeHtml } from "#lib/core/escape-html.ts";

/** Several times what the longest form holds. Read on the main thread: 1 MB of small fields took it half a second. */
export const MAX_CAPTURED_BYTES = 100_000;
const MAX_TEXT_LENGTH = 5_000;
const MAX_FIELDS = 50;
/** Fields that nobody typed, or that must not be shown. */
const HIDDEN_FIELDS =
  /^(\$ACTION.*|id|next|code|token|session|uploadId|(seen|expected)\w*|key|instance|q)$/;

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
  } catch {
    return []; // what can't be read was not typed
  }
}

/** The page that says what happened and shows what was typed. `path` is where the form stands. */
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
