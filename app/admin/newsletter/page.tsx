// Renders /admin/newsletter: the issues with their counts, and a form to create one.

import { adminMetadata, requireAdminPage } from "../require-admin-page.tsx";
import { createIssueAction } from "./actions.ts";
import { AdminLayout } from "#components/admin/admin-layout.tsx";
import { IssueTable } from "#components/admin/issue-table.tsx";
import { ActionForm } from "#components/ui/action-form.tsx";
import { SelectField } from "#components/ui/form-fields.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import { pluralize } from "#lib/core/format.ts";
import { read } from "#lib/db/database.ts";
import { readNotice } from "#lib/http/notice-cookie.ts";
import { type SearchParams, lastValue } from "#lib/http/search-params.ts";
import { newsletterChannel } from "#lib/members/newsletter-channel.ts";
import { MAX_LISTED_ISSUES, listIssues } from "#lib/newsletter/issues.ts";
import { getCatalogStatus, getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { listPosts } from "#lib/posts/post.ts";

export const generateMetadata = () => adminMetadata("Newsletter");

export default async function NewsletterPage({
  searchParams,
}: {
  searchParams: Promise<SearchParams>;
}) {
  const { admin, notFoundPage } = await requireAdminPage("/admin/newsletter");
  if (!admin) return notFoundPage;
  const chosen = lastValue((await searchParams).post);
  const { issues, subscriberCount } = await read(async (tx) => ({
    issues: await listIssues(tx, admin),
    subscriberCount: await tx.subscriber.count(),
  }));
  const posts = listPosts(await getIndex()).map(({ slug, frontMatter: { title } }) => ({
    slug,
    title,
  }));
  const { scheduled } = getCatalogStatus();
  const isOurs = newsletterChannel() === "site";
  return (
    <AdminLayout
      current="newsletter"
      title="Newsletter"
      notice={(await readNotice()) === "issue-deleted" ? "Draft deleted." : null}
    >
      <section className="desk-section" aria-labelledby="subscribers">
        <h2 id="subscribers">Subscribers</h2>
        <p>
          <a href="/admin/newsletter/subscribers">{pluralize(subscriberCount, "subscriber")}</a>
          {!isOurs && ". KIT_API_KEY is set, so Kit sends the newsletter: write your issues there."}
        </p>
      </section>
      {isOurs && (
        <section className="desk-section" aria-labelledby="new">
          <h2 id="new">Send a post</h2>
          <ActionForm action={createIssueAction} className="form" loginNext="/admin/newsletter">
            <SelectField
              name="slug"
              label="Post"
              hint="Next, you can add a note, preview the email, and choose when to send it."
              defaultValue={chosen}
            >
              {[...scheduled, ...posts].map(({ slug, title }) => (
                <option key={slug} value={slug}>
                  {title}
                </option>
              ))}
            </SelectField>
            <div className="form-actions">
              <SubmitButton>Continue</SubmitButton>
            </div>
          </ActionForm>
        </section>
      )}
      <section className="desk-section" aria-labelledby="issues">
        <h2 id="issues">Issues</h2>
        {issues.length === 0 ? (
          <p className="muted">No issues yet.</p>
        ) : (
          <IssueTable issues={issues} />
        )}
        {issues.length === MAX_LISTED_ISSUES && (
          <p className="muted">Showing the newest {issues.length}.</p>
        )}
      </section>
    </AdminLayout>
  );
}
