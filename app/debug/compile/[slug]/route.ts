// Runs nothing but the compile of one post, and shows what each stage took. For admins, and in development.

import { type FreshCompile, compileFresh } from "../../../_site/site.ts";
import { env } from "#lib/base/env.ts";
import { isAppError, statusFor } from "#lib/base/errors.ts";
import { requireAdmin } from "#lib/session/session.ts";

export const dynamic = "force-dynamic";

const HEADERS = { "Cache-Control": "private, no-store", "X-Robots-Tag": "noindex" };

/** JSON by default; a table for a browser. */
export async function GET(request: Request, { params }: { params: Promise<{ slug: string }> }): Promise<Response> {
  try {
    if (env.NODE_ENV !== "development") await requireAdmin();
    const compiled = await compileFresh((await params).slug);
    if (!request.headers.get("accept")?.includes("text/html")) return Response.json(compiled, { headers: HEADERS });
    return new Response(page(compiled), { headers: { ...HEADERS, "Content-Type": "text/html; charset=utf-8" } });
  } catch (error) {
    if (!isAppError(error)) throw error;
    return Response.json({ message: error.message }, { status: statusFor(error), headers: HEADERS });
  }
}

const escape = (text: string) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const list = (items: readonly string[]) => `<ul>${items.map((item) => `<li>${escape(item)}</li>`).join("")}</ul>`;

function page({ file, version, stages, totalMs, warnings, problem }: FreshCompile): string {
  const rows = stages.map(({ name, ms }) => `<tr><th scope="row">${escape(name)}</th><td>${ms.toFixed(1)} ms</td><td><meter min="0" max="${totalMs}" value="${ms}"></meter></td></tr>`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Compile ${escape(file)}</title>
<style>body{font:1rem/1.5 system-ui;max-width:44rem;margin:2rem auto;padding:0 1rem}th{text-align:left;font-weight:400;padding-right:2rem}td{text-align:right;padding-right:1rem;font-variant-numeric:tabular-nums}</style>
<h1>${escape(file)}</h1>
<p>Version ${escape(version)}, past every cache, ${totalMs.toFixed(0)} ms.</p>
${problem ? `<p><strong>${escape(`${file}:${problem.line}: ${problem.reason}`)}</strong></p>` : ""}
<table>${rows.join("")}</table>
${warnings.length > 0 ? `<h2>Warnings</h2>${list(warnings)}` : ""}
</html>
`;
}
