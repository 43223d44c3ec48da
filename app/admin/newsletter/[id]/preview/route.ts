// Serves GET /admin/newsletter/ID/preview: the email of an issue as HTML, or as text with ?as=text.

import { read } from "#lib/db/database.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { requireViewer } from "#lib/members/write-authorized.ts";
import { getIssueContent } from "#lib/newsletter/issue-content.ts";
import { buildIssueEmail } from "#lib/newsletter/issue-email.ts";
import { parseIssueId } from "#lib/newsletter/issues.ts";
import { renderEmailHtml, renderEmailText } from "#lib/outbound/mail/email-message.ts";

export const dynamic = "force-dynamic";

interface Context {
  readonly params: Promise<{ id: string }>;
}

export function GET(request: Request, { params }: Context): Promise<Response> {
  return withErrorResponse(request, async () => {
    const { id } = await params;
    const sessionIds = await readSessionCookies();
    const admin = await read((tx) => requireViewer(tx, sessionIds, { role: "admin" }));
    const content = await getIssueContent(admin, parseIssueId(id));
    const email = buildIssueEmail(content, { email: "", subscriberId: null });
    const isText = new URL(request.url).searchParams.get("as") === "text";
    return new Response(isText ? renderEmailText(email) : renderEmailHtml(email), {
      headers: {
        "content-type": `text/${isText ? "plain" : "html"}; charset=utf-8`,
        "cache-control": "private, no-store",
        "x-content-type-options": "nosniff",
      },
    });
  });
}
