// What is live, what is compiled, what fails and why. For admins, and in development.

import { answerDebug, debugPage, list } from "./debug-page.ts";
import { type SiteStatus, getIndex, siteStatus } from "../../_site/site.ts";
import { escapeHtml } from "#lib/base/html.ts";

export const dynamic = "force-dynamic";

export function GET(request: Request): Promise<Response> {
  return answerDebug(
    request,
    async () => ({ ...siteStatus(), slugs: (await getIndex()).posts.map(({ slug }) => slug) }),
    page,
  );
}

function page({ source, sourceProblem, live, served, posts, pending, compiling, problem, failures, warnings, slugs }: SiteStatus & { slugs: string[] }): string {
  const failing = failures.map(({ file, line, reason, servedFrom, sinceMs }) => `${file}:${line}: ${reason} (readers get ${servedFrom}, since ${new Date(sinceMs).toISOString()})`);
  return debugPage(
    "Posts",
    `<p>${posts} posts from ${escapeHtml(source)}, ${pending} not compiled yet${compiling ? `, ${escapeHtml(JSON.stringify(compiling))}` : ""}.<br>Live: ${escapeHtml(live ?? "nothing")}. Shown here: ${escapeHtml(served ?? "nothing")}.</p>
${sourceProblem ? `<p><strong>${escapeHtml(sourceProblem)}</strong></p>` : ""}
${problem ? `<p><strong>${escapeHtml(problem.reason)}</strong></p>` : ""}
<h2>${failing.length === 0 ? "No post fails" : "Posts that fail"}</h2>
${list(failing)}
${warnings.length > 0 ? `<h2>Warnings</h2>${list(warnings)}` : ""}
<h2>Compile one, past every cache</h2>
<ul>${slugs.map((slug) => `<li><a href="/debug/compile/${encodeURIComponent(slug)}">${escapeHtml(slug)}</a></li>`).join("")}</ul>`,
  );
}
