// The frame of the debug pages, and who may see them.

import { answer } from "#lib/action/answer.ts";
import { escapeHtml } from "#lib/base/html.ts";
import { env } from "#lib/base/env.ts";
import { requireAdmin } from "#lib/session/session.ts";

const HEADERS = { "Cache-Control": "private, no-store", "X-Robots-Tag": "noindex" };

/** What `fn` gives, as JSON or, for a browser, as `page` writes it. 401 and 403 for all but admins, outside development. */
export function answerDebug<T>(request: Request, fn: () => Promise<T> | T, page: (value: T) => string): Promise<Response> {
  return answer(request, async () => {
    if (env.NODE_ENV !== "development") await requireAdmin();
    const value = await fn();
    if (!request.headers.get("accept")?.includes("text/html")) return Response.json(value, { headers: HEADERS });
    return new Response(page(value), { headers: { ...HEADERS, "Content-Type": "text/html; charset=utf-8" } });
  });
}

export const list = (items: readonly string[]) => `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join("")}</ul>`;

/** A document around `body`, which is HTML. */
export function debugPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>body{font:1rem/1.5 system-ui;max-width:44rem;margin:2rem auto;padding:0 1rem}th{text-align:left;font-weight:400;padding-right:2rem}td{text-align:right;padding-right:1rem;font-variant-numeric:tabular-nums}</style>
<h1>${escapeHtml(title)}</h1>
${body}
</html>
`;
}
