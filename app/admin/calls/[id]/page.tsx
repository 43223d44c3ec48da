// Renders /admin/calls/ID: a call with its question, answer, decisions and episode.
// Every form is rendered in every state, but its fields only if they apply. So its message shows
// even without JavaScript.

import { renderNotFound } from "../../../not-found-page.tsx";
import { draftOwnerId } from "#lib/calls/draft-owner-id.ts";
import { adminMetadata, requireAdminPage } from "../../require-admin-page.tsx";
import {
  declineCallAction,
  editCallAction,
  unclaimCallAction,
  removeAnswerAction,
  reopenCallAction,
  claimCallAction,
  unpublishCallAction,
} from "../actions.ts";
import { AnswerForm, DecisionForm, ExpectedVersionFields } from "./decision-forms.tsx";
import { PublishForm } from "./publish-form.tsx";
import { TranscriptFields } from "./transcript-fields.tsx";
import { AdminLayout } from "#components/admin/admin-layout.tsx";
import { Timestamp } from "#components/admin/timestamp.tsx";
import { VersionField } from "#components/admin/version-field.tsx";
import { CallPlayer } from "#components/call/call-player.tsx";
import { CallStateLabel } from "#components/call/call-state-label.tsx";
import { FocusOnSuccess } from "#components/ui/focus-on-success.tsx";
import { ActionForm } from "#components/ui/action-form.tsx";
import { Field, TextField } from "#components/ui/form-fields.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import { nullIfNotFound } from "#lib/core/errors.ts";
import { formatBytes } from "#lib/core/format.ts";
import { episodePrograms } from "#lib/calls/episode-programs.ts";
import { canMergeAudio } from "#lib/calls/merge-audio.ts";
import { nextEpisodeNumber } from "#lib/calls/publish.ts";
import { parseKeywords } from "#lib/calls/keywords.ts";
import { type ReviewedCall, getReviewedCall } from "#lib/calls/review-queue.ts";
import { isTranscriptionConfigured } from "#lib/calls/transcribe.ts";
import { read } from "#lib/db/database.ts";
import { decodeParam } from "#lib/http/search-params.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";

type Props = { params: Promise<{ id: string }> };

export async function generateMetadata({ params }: Props) {
  const id = decodeParam((await params).id);
  return adminMetadata(async (tx, admin) => {
    const { title } = await getReviewedCall(tx, { admin, callId: id });
    return title;
  });
}

export default async function CallPage({ params }: Props) {
  const id = decodeParam((await params).id);
  const path = `/admin/calls/${encodeURIComponent(id)}`;
  const { admin, notFoundPage } = await requireAdminPage(path);
  if (!admin) return notFoundPage;
  const data = await nullIfNotFound(
    read(async (tx) => ({
      call: await getReviewedCall(tx, { admin, callId: id }),
      nextNumber: await nextEpisodeNumber(tx),
    })),
  );
  if (!data) return renderNotFound(await readSessionCookies());
  const { call, nextNumber } = data;
  const { state, episode } = call;
  const isOpen = state === "NEW" || state === "REVIEWING" || state === "ANSWERED";
  const question = call.isTyped
    ? null
    : { src: `/calls/recording/${encodeURIComponent(call.id)}`, durationMs: call.durationMs };
  // The version keeps the browser from playing a cached earlier answer.
  const answer = call.answer && {
    src: `${path}/answer?v=${call.answer.createdAt}`,
    durationMs: call.answer.durationMs,
  };
  const decide = { call, path };
  return (
    <AdminLayout current="calls" title={call.title}>
      <div className="call-desk">
        <div>
          <section className="desk-section" aria-labelledby="question">
            <h2 id="question">Question</h2>
            <p className="call-facts">
              <CallStateLabel state={state} by={call.reviewerName} />
              <span>
                from{" "}
                <a href={`/admin/users/${encodeURIComponent(call.userId)}`}>{call.callerName}</a>
              </span>
              <span>
                <Timestamp ms={call.createdAt} /> UTC
              </span>
            </p>
            {question ? (
              <CallPlayer
                key={call.id}
                src={question.src}
                durationMs={question.durationMs}
                label={`${call.callerName}’s question`}
              />
            ) : (
              <p className="muted">This question was typed. It’s in the description.</p>
            )}
            <div className="call-forms">
              <DecisionForm
                {...decide}
                action={claimCallAction}
                isEnabled={state === "NEW"}
                label="Assign to me"
                hint="Lets other admins know you’re on it."
              />
              <DecisionForm
                {...decide}
                action={unclaimCallAction}
                isEnabled={state === "REVIEWING"}
                label="Unassign"
              />
            </div>
          </section>
          <section className="desk-section" aria-labelledby="about">
            <h2 id="about">Details</h2>
            <ActionForm action={editCallAction} className="form" loginNext={path}>
              <input type="hidden" name="id" value={call.id} />
              <VersionField name="expectedVersion" value={call.updatedAt} />
              <Field
                name="title"
                label="Title"
                hint="5 to 50 characters"
                defaultValue={call.title}
                required
                autoComplete="off"
              />
              <TextField
                name="description"
                label={call.isTyped ? "Question" : "Description"}
                hint="20 to 1,000 characters"
                defaultValue={call.description}
                required
                rows={6}
              />
              <Field
                name="keywords"
                label="Keywords"
                hint="Comma-separated, 2 to 100 characters"
                defaultValue={call.keywords}
                required
                autoComplete="off"
              />
              {episode && (
                <TranscriptFields
                  hint={describeTranscription(episode)}
                  defaultValue={episode.transcript}
                />
              )}
              <TextField
                name="note"
                label="Note"
                hint="Visible only to admins"
                defaultValue={call.note}
                rows={3}
              />
              <div>
                <SubmitButton kind="plain">Save</SubmitButton>
              </div>
            </ActionForm>
          </section>
        </div>
        <div>
          <section className="desk-section" aria-labelledby="answer">
            <h2 id="answer">Answer</h2>
            {answer && call.answer && (
              <>
                <CallPlayer
                  key={answer.src}
                  src={answer.src}
                  durationMs={answer.durationMs}
                  label="Answer"
                />
                <p className="call-facts muted">
                  <span>
                    <Timestamp ms={call.answer.createdAt} /> UTC
                  </span>
                  <span>{formatBytes(call.answer.sizeBytes)}</span>
                </p>
              </>
            )}
            {!answer && !isOpen && <p className="muted">None.</p>}
            <AnswerForm call={call} path={path} owner={draftOwnerId(admin)} isEnabled={isOpen} />
            <DecisionForm
              {...decide}
              action={removeAnswerAction}
              isEnabled={state === "ANSWERED"}
              label="Remove answer"
              consequences="Deletes the recorded answer. This can’t be undone."
            />
          </section>
          <section className="desk-section" aria-labelledby="publish">
            <h2 id="publish">{episode ? `Episode ${episode.number}` : "Publish"}</h2>
            {state !== "ANSWERED" && !episode && (
              <p className="muted">{isOpen ? "Add an answer first." : "This call was declined."}</p>
            )}
            {episode && (
              <p>
                <a href={`/calls/${episode.slug}`}>View episode</a>, published{" "}
                <Timestamp ms={episode.publishedAt} /> UTC
                {episode.isMerged
                  ? ", with question and answer in one file."
                  : ", with question and answer in two files."}
              </p>
            )}
            <PublishForm
              id={call.id}
              expectedVersion={call.changedAt}
              loginNext={path}
              number={nextNumber}
              willMerge={state === "ANSWERED" && (await canMergeAudio())}
              willTranscribe={isTranscriptionConfigured()}
              title={call.title}
              content={
                state === "ANSWERED" && answer
                  ? {
                      description: call.description,
                      callerName: call.callerName,
                      keywords: parseKeywords(call.keywords),
                      transcript: "",
                      programs: episodePrograms(
                        {
                          title: call.title,
                          callerName: call.callerName,
                          href: path,
                          image: "/icon-512.png",
                        },
                        { call: question, answer, mergedAudio: null },
                      ),
                    }
                  : null
              }
            />
            <DecisionForm
              {...decide}
              action={unpublishCallAction}
              isEnabled={state === "PUBLISHED"}
              label="Unpublish"
              consequences="Removes the page, feed entry and transcript. Keeps the call and answer."
            />
          </section>
          <section className="desk-section" aria-labelledby="decline">
            <h2 id="decline">{state === "DECLINED" ? "Declined" : "Decline"}</h2>
            {state === "PUBLISHED" && (
              <p className="muted">This call is published. Unpublish it first.</p>
            )}
            {state === "DECLINED" && (
              <blockquote className="episode-asked">{call.declineReason}</blockquote>
            )}
            <ActionForm action={declineCallAction} className="form" loginNext={path}>
              {isOpen && (
                <>
                  <ExpectedVersionFields call={call} />
                  <TextField
                    name="reason"
                    label="Reason"
                    hint="Sent to the caller as written, 10 to 1,000 characters"
                    required
                    minLength={10}
                    rows={4}
                  />
                  <div>
                    <SubmitButton kind="danger">Decline</SubmitButton>
                  </div>
                </>
              )}
              <FocusOnSuccess />
            </ActionForm>
            <DecisionForm
              {...decide}
              action={reopenCallAction}
              isEnabled={state === "DECLINED"}
              label="Reopen"
            />
          </section>
        </div>
      </div>
    </AdminLayout>
  );
}

/** Says what becomes of an empty transcript, if a command creates it. */
function describeTranscription({
  transcription,
}: NonNullable<ReviewedCall["episode"]>): string | undefined {
  if (!isTranscriptionConfigured()) return undefined;
  if (!transcription) return "If you leave it empty, we’ll create it for you.";
  const { isGivenUp, lastError } = transcription;
  const problem = lastError === null ? "" : ` The last attempt failed. ${lastError}`;
  return isGivenUp
    ? `It couldn’t be created. Save to try again.${problem}`
    : `It is being created. Reload this page to see it.${problem}`;
}
