// Renders /admin/content: the live version, and the errors and warnings of the posts.

import { getIndex, getCatalogStatus } from "#lib/posts/catalog/site-catalog.ts";
import { adminMetadata, requireAdminPage } from "../require-admin-page.tsx";
import { compilePost } from "./actions.ts";
import { AdminLayout } from "#components/admin/admin-layout.tsx";
import { Timestamp, formatTimestamp } from "#components/admin/timestamp.tsx";
import { ActionForm } from "#components/ui/action-form.tsx";
import { SelectField } from "#components/ui/form-fields.tsx";
import { ActionButton, SubmitButton } from "#components/ui/submit-button.tsx";

export const generateMetadata = () => adminMetadata("Content");

export default async function ContentPage() {
  const { admin, notFoundPage } = await requireAdminPage("/admin/content");
  if (!admin) return notFoundPage;
  const { posts } = await getIndex();
  const status = getCatalogStatus();
  const slugs = [
    ...status.scheduled,
    ...posts.map(({ slug, frontMatter: { title } }) => ({ slug, title })),
  ];
  const problems = [
    ...(status.sourceProblem ? [status.sourceProblem] : []),
    ...(status.problem
      ? [
          `${status.problem.reason} Since ${formatTimestamp(status.problem.sinceMs)} UTC; next attempt at ${formatTimestamp(status.problem.retryAtMs)} UTC.`,
        ]
      : []),
  ];
  return (
    <AdminLayout current="content" title="Content">
      {problems.map((problem) => (
        <p key={problem} className="form-message form-message-refused" role="alert">
          {problem}
        </p>
      ))}
      <section className="desk-section" aria-labelledby="live">
        <h2 id="live">Live content</h2>
        <dl className="facts">
          <dt>Source</dt>
          <dd>{status.source === "git" ? "Git host" : "Local disk"}</dd>
          <dt>Live version</dt>
          <dd className="key">{status.publishedVersion ?? "none"}</dd>
          <dt>This instance</dt>
          {status.servedVersion === status.publishedVersion ? (
            <dd>up to date</dd>
          ) : (
            <dd className="key">{status.servedVersion ?? "none"}</dd>
          )}
          <dt>Posts</dt>
          <dd className="figures">
            {status.posts} and {status.pages} {status.pages === 1 ? "page" : "pages"}
          </dd>
          <dt>To compile</dt>
          <dd className="figures">
            {status.pendingCount}
            {status.buildProgress &&
              ` (${status.buildProgress.done} of ${status.buildProgress.total} done)`}
          </dd>
          <dt>Compiler</dt>
          <dd className="key">{status.compilerVersion}</dd>
        </dl>
      </section>
      {status.scheduled.length > 0 && (
        <section className="desk-section" aria-labelledby="scheduled">
          <h2 id="scheduled">Scheduled</h2>
          <ul className="rows">
            {status.scheduled.map(({ slug, title, goLiveMs }) => (
              <li className="row" key={slug}>
                <div className="row-what">
                  <strong>{title}</strong>
                  <small>
                    Hidden until <Timestamp ms={goLiveMs} /> UTC.
                  </small>
                </div>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section className="desk-section" aria-labelledby="failing">
        <h2 id="failing">Errors</h2>
        {status.failures.length === 0 ? (
          <p className="muted">None.</p>
        ) : (
          <ul className="rows">
            {status.failures.map(({ kind, slug, file, line, reason, servedFrom, sinceMs }) => (
              <li className="row" key={file}>
                <div className="row-what">
                  <strong className="key">
                    {file}:{line}
                  </strong>
                  <span>{reason}</span>
                  <small>
                    Since <Timestamp ms={sinceMs} /> UTC. Readers see{" "}
                    {servedFrom === "nothing" ? "nothing" : "the last good version"}.
                  </small>
                </div>
                {kind === "post" && (
                  <ActionButton action={compilePost} fields={{ slug }} loginNext="/admin/content">
                    Recompile<span className="visually-hidden"> {slug}</span>
                  </ActionButton>
                )}
              </li>
            ))}
          </ul>
        )}
      </section>
      <section className="desk-section" aria-labelledby="warnings">
        <h2 id="warnings">Warnings</h2>
        {status.warnings.length === 0 ? (
          <p className="muted">None.</p>
        ) : (
          <ul className="rows">
            {status.warnings.map((warning) => (
              <li className="row" key={warning}>
                <span className="row-what">{warning}</span>
              </li>
            ))}
          </ul>
        )}
      </section>
      <section className="desk-section" aria-labelledby="fresh">
        <h2 id="fresh">Test-compile a post</h2>
        <ActionForm action={compilePost} className="form" loginNext="/admin/content">
          <SelectField name="slug" label="Post" hint="Bypasses the cache. Readers aren’t affected.">
            {slugs.map(({ slug, title }) => (
              <option key={slug} value={slug}>
                {title}
              </option>
            ))}
          </SelectField>
          <div>
            <SubmitButton kind="plain">Compile</SubmitButton>
          </div>
        </ActionForm>
      </section>
    </AdminLayout>
  );
}
