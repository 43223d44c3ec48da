// Runs nothing but the compile of one post, and shows what each stage took. For admins, and in development.

import { debugPage, answerDebug, list } from "../debug-page.ts";
import { type FreshCompile, compileFresh } from "../../../_site/site.ts";
import { escapeHtml } from "#lib/base/html.ts";

export const dynamic = "force-dynamic";

export function GET(request: Request, { params }: { params: Promise<{ slug: string }> }): Promise<Response> {
  return answerDebug(request, async () => compileFresh((await params).slug), page);
}

function page({ file, version, stages, totalMs, warnings, problem }: FreshCompile): string {
  const rows = stages.map(({ name, ms }) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${ms.toFixed(1)} ms</td><td><meter min="0" max="${totalMs}" value="${ms}"></meter></td></tr>`);
  return debugPage(
    `Compile ${file}`,
    `<p>Version ${escapeHtml(version)}, past every cache, ${totalMs.toFixed(0)} ms.</p>
${problem ? `<p><strong>${escapeHtml(`${file}:${problem.line}: ${problem.reason}`)}</strong></p>` : ""}
<table>${rows.join("")}</table>
${warnings.length > 0 ? `<h2>Warnings</h2>${list(warnings)}` : ""}
<p><a href="/debug/compile">All posts</a></p>`,
  );
}
