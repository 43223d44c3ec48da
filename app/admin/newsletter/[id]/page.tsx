// Renders /admin/newsletter/ID: the form of a draft, or the results of an issue.

import { Fragment } from "react";
import { renderNotFound } from "../../../not-found-page.tsx";
import { adminPostPath } from "../../posts/load-admin-posts.ts";
import { adminMetadata, requireAdminPage } from "../../require-admin-page.tsx";
import { cancelIssueAction, deleteIssueAction } from "../actions.ts";
import { DraftForm } from "./draft-form.tsx";
import { IssueResults, ResendButton } from "./issue-results.tsx";
import { AdminLayout } from "#components/admin/admin-layout.tsx";
import { ISSUE_STATE_LABELS } from "#components/admin/issue-table.tsx";
import { Timestamp } from "#components/admin/timestamp.tsx";
import { ActionButton } from "#components/ui/submit-button.tsx";
import { nullIfNotFound } from "#lib/core/errors.ts";
import { pluralize } from "#lib/core/format.ts";
import { read } from "#lib/db/database.ts";
import { readNotice } from "#lib/http/notice-cookie.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { type Issue, getIssue, parseIssueId } from "#lib/newsletter/issues.ts";
import { countRecipients } from "#lib/newsletter/start-issue.sql.ts";
import { findPostBySlug } from "#lib/posts/catalog/site-catalog.ts";
import { topicKeysOf } from "#lib/posts/topics.ts";

interface Props {
  readonly params: Promise<{ id: string }>;
}

export async function generateMetadata({ params }: Props) {
  const id = parseIssueId((await params).id);
  return adminMetadata(async (tx, admin) => (await getIssue(tx, admin, id)).subject);
}

function IssueFacts({ issue }: { issue: Issue }) {
  const dates = [
    ["Scheduled for", issue.state === "SCHEDULED" ? issue.sendAt : null],
    ["Started", issue.startedAt],
    ["Finished", issue.finishedAt],
  ] as const;
  return (
    <dl className="facts">
      <dt>State</dt>
      <dd>{ISSUE_STATE_LABELS[issue.state]}</dd>
      <dt>Post</dt>
      <dd>
        <a href={adminPostPath(issue.postSlug)}>{issue.postSlug}</a>
      </dd>
      {dates.map(
        ([name, date]) =>
          date && (
            <Fragment key={name}>
              <dt>{name}</dt>
              <dd>
                <Timestamp ms={date.getTime()} /> UTC
              </dd>
            </Fragment>
          ),
      )}
    </dl>
  );
}

/** Says what happens next, with the button that cancels, stops or resumes it. */
function IssueStatus({ issue, audience }: { issue: Issue; audience: number | null }) {
  const { id, state, sendAt, counts } = issue;
  const isScheduled = state === "SCHEDULED" && sendAt;
  if (!isScheduled && state !== "SENDING" && !(state === "CANCELED" && counts.pending > 0))
    return null;
  return (
    <>
      <p className="form-message" role="status">
        {isScheduled ? (
          <>
            Sending at <Timestamp ms={sendAt.getTime()} /> UTC
            {audience !== null && ` to ${pluralize(audience, "subscriber")}`}.
          </>
        ) : state === "SENDING" ? (
          "Sending. Reload to see progress."
        ) : (
          `Stopped. ${pluralize(counts.pending, "recipient")} didn’t receive it.`
        )}
      </p>
      {state === "CANCELED" ? (
        <ResendButton issue={issue} state="PENDING" />
      ) : (
        <ActionButton
          action={cancelIssueAction}
          fields={{ id: String(id) }}
          loginNext={`/admin/newsletter/${id}`}
        >
          {state === "SENDING" ? "Stop sending" : "Cancel"}
        </ActionButton>
      )}
    </>
  );
}

export default async function IssuePage({ params }: Props) {
  const { id: text } = await params;
  const { admin, notFoundPage } = await requireAdminPage(`/admin/newsletter/${text}`);
  if (!admin) return notFoundPage;
  const issue = await nullIfNotFound(read((tx) => getIssue(tx, admin, parseIssueId(text))));
  if (!issue) return renderNotFound(await readSessionCookies());
  const { id, state } = issue;
  const isDraft = state === "DRAFT";
  const isCanceled = isDraft && (await readNotice()) === "issue-canceled";
  const post = await findPostBySlug(issue.postSlug);
  const audience =
    post && !issue.startedAt
      ? await read((tx) => countRecipients(tx, [...topicKeysOf(post)]))
      : null;
  return (
    <AdminLayout
      current="newsletter"
      title={issue.subject}
      notice={isCanceled ? "Canceled. Nothing was sent." : null}
      lead={<a href="/admin/newsletter">All issues</a>}
    >
      {issue.problem && (
        <p className="form-message form-message-refused" role="alert">
          Waiting: {issue.problem}
        </p>
      )}
      <section className="desk-section" aria-labelledby="issue">
        <h2 id="issue">Issue</h2>
        <IssueStatus issue={issue} audience={audience} />
        <IssueFacts issue={issue} />
        {post || issue.startedAt ? (
          <p className="form-actions">
            <a href={`/admin/newsletter/${id}/preview`}>Preview</a>
            <a href={`/admin/newsletter/${id}/preview?as=text`}>Preview as plain text</a>
          </p>
        ) : (
          <p className="muted">You can preview it once the post is published.</p>
        )}
      </section>
      {isDraft && <DraftForm issue={issue} audience={audience} />}
      {issue.startedAt && <IssueResults issue={issue} />}
      {isDraft && (
        <section className="desk-section" aria-labelledby="delete">
          <h2 id="delete">Delete</h2>
          <ActionButton
            action={deleteIssueAction}
            fields={{ id: String(id) }}
            loginNext={`/admin/newsletter/${id}`}
            consequences="This can’t be undone."
          >
            Delete draft
          </ActionButton>
        </section>
      )}
    </AdminLayout>
  );
}
