// /admin/calls/ID: all of one call, from listening to publishing.
// Every form stands here in every state of the call, with its fields only where they fit: so its message is seen, also without scripts,
// when the call has changed meanwhile.

import { setNotFoundStatus, NotFoundPage } from "../../../not-found-page.tsx";
import { draftOwnerId } from "#lib/calls/draft-owner-id.ts";
import { adminMetadata, requireAdminPage } from "../../require-admin-page.tsx";
import {
  saveAnswerAction,
  declineCallAction,
  editCallAction,
  unclaimCallAction,
  removeAnswerAction,
  reopenCallAction,
  claimCallAction,
  unpublishCallAction,
} from "../actions.ts";
import { PublishForm } from "./publish-form.tsx";
import { TransitionMessage } from "./transition-message.tsx";
import { AdminFrame } from "#components/admin/admin-frame.tsx";
import { Timestamp } from "#components/admin/timestamp.tsx";
import { CallPlayer } from "#components/call/call-player.tsx";
import { Recorder } from "#components/call/recorder.tsx";
import { CallStateLabel } from "#components/call/call-state-label.tsx";
import { FocusOnSuccess } from "#components/ui/focus-on-success.tsx";
import { ActionForm } from "#components/ui/action-form.tsx";
import { Field, TextField } from "#components/ui/form-fields.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import type { FormState } from "#lib/http/form-state.ts";
import { isAppError } from "#lib/core/errors.ts";
import { formatBytes } from "#lib/core/format.ts";
import { MAX_ANSWER_BYTES, MAX_ANSWER_MS } from "#lib/calls/audio/probe.ts";
import { canMergeAudio } from "#lib/calls/merge-audio.ts";
import { nextEpisodeNumber } from "#lib/calls/publish.ts";
import { parseKeywords } from "#lib/calls/keywords.ts";
import { type ReviewedCall, getReviewedCall } from "#lib/calls/review-queue.ts";
import { readSql } from "#lib/db/database.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";

type Props = { params: Promise<{ id: string }> };

export async function generateMetadata({ params }: Props) {
  const { id } = await params;
  return adminMetadata((sql, by) => getReviewedCall(sql, { by, callId: id }).title);
}

export default async function CallPage({ params }: Props) {
  const { id } = await params;
  const path = `/admin/calls/${encodeURIComponent(id)}`;
  const { admin, refused } = await requireAdminPage(path);
  if (!admin) return refused;
  const found = await readSql((sql) => {
    try {
      return {
        call: getReviewedCall(sql, { by: admin, callId: id }),
        next: nextEpisodeNumber(sql),
      };
    } catch (error) {
      if (isAppError(error, "not_found")) return null;
      throw error;
    }
  });
  if (!found) {
    setNotFoundStatus();
    return <NotFoundPage identity={await readSessionCookies()} />;
  }
  const { call, next } = found;
  const { state, episode } = call;
  const isOpen = state === "NEW" || state === "REVIEWING" || state === "ANSWERED";
  const question = call.isTyped
    ? null
    : { src: `/calls/recording/${encodeURIComponent(call.id)}`, durationMs: call.durationMs };
  // With its moment: a new answer is another file.
  const said = call.answer && {
    src: `${path}/answer?v=${call.answer.createdAt}`,
    durationMs: call.answer.durationMs,
  };
  const decide = { call, path };
  return (
    <AdminFrame current="calls" title={call.title}>
      <div className="call-desk">
        <div>
          <section className="desk-section" aria-labelledby="question">
            <h2 id="question">The question</h2>
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
              <p className="muted">Written, not spoken: the description is the question.</p>
            )}
            <div className="call-forms">
              <DecisionForm
                {...decide}
                action={claimCallAction}
                isEnabled={state === "NEW"}
                label="Take it"
                hint="So that no other admin begins the same work. You may also answer or decline at once."
              />
              <DecisionForm
                {...decide}
                action={unclaimCallAction}
                isEnabled={state === "REVIEWING"}
                label="Put it back"
              />
            </div>
          </section>
          <section className="desk-section" aria-labelledby="about">
            <h2 id="about">What it is about</h2>
            <ActionForm action={editCallAction} className="form" loginNext={path}>
              <input type="hidden" name="id" value={call.id} />
              <input type="hidden" name="seen" value={call.updatedAt} />
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
                hint="With commas, 2 to 100 characters"
                defaultValue={call.keywords}
                required
                autoComplete="off"
              />
              {episode && (
                <TextField
                  name="transcript"
                  label="Word by word"
                  hint="An empty line begins a paragraph"
                  defaultValue={episode.transcript}
                  rows={10}
                />
              )}
              <TextField
                name="note"
                label="Note"
                hint="For admins only"
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
            <h2 id="answer">The answer</h2>
            {said && call.answer && (
              <>
                <CallPlayer
                  key={said.src}
                  src={said.src}
                  durationMs={said.durationMs}
                  label="The answer"
                />
                <p className="call-facts muted">
                  <span>
                    <Timestamp ms={call.answer.createdAt} /> UTC
                  </span>
                  <span>{formatBytes(call.answer.bytes)}</span>
                </p>
              </>
            )}
            {!said && !isOpen && <p className="muted">None.</p>}
            <AnswerForm call={call} path={path} owner={draftOwnerId(admin)} isOn={isOpen} />
            <DecisionForm
              {...decide}
              action={removeAnswerAction}
              isEnabled={state === "ANSWERED"}
              label="Remove the answer"
            />
          </section>
          <section className="desk-section" aria-labelledby="publish">
            <h2 id="publish">{episode ? `Episode ${episode.number}` : "Publish"}</h2>
            {state !== "ANSWERED" && !episode && (
              <p className="muted">{isOpen ? "Once it has an answer." : "It is declined."}</p>
            )}
            {episode && (
              <p>
                <a href={`/calls/${episode.slug}`}>See its page</a>, published{" "}
                <Timestamp ms={episode.publishedAt} /> UTC
                {episode.isJoined
                  ? ", with question and answer in one file."
                  : ". Question and answer are played in turn."}
              </p>
            )}
            <PublishForm
              id={call.id}
              expectedVersion={call.changedAt}
              loginNext={path}
              number={next}
              willMerge={state === "ANSWERED" && (await canMergeAudio())}
              title={call.title}
              content={
                state === "ANSWERED" && said
                  ? {
                      description: call.description,
                      callerName: call.callerName,
                      keywords: parseKeywords(call.keywords),
                      transcript: "",
                      call: question,
                      answer: said,
                      mergedAudio: null,
                    }
                  : null
              }
            />
            <DecisionForm
              {...decide}
              action={unpublishCallAction}
              isEnabled={state === "PUBLISHED"}
              label="Take it down"
              hint="The page and the place in the feed go. The call and its answer stay."
              kind="danger"
            />
          </section>
          <section className="desk-section" aria-labelledby="decline">
            <h2 id="decline">{state === "DECLINED" ? "Declined" : "Decline"}</h2>
            {state === "PUBLISHED" && <p className="muted">It is published. Take it down first.</p>}
            {state === "DECLINED" && (
              <blockquote className="episode-asked">{call.declineReason}</blockquote>
            )}
            <ActionForm action={declineCallAction} className="form" loginNext={path}>
              {isOpen && (
                <>
                  <ExpectedVersionFields call={call} />
                  <TextField
                    name="reason"
                    label="Why"
                    hint="The caller gets it by mail, as you write it: 10 to 1,000 characters"
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
              label="Open it again"
            />
          </section>
        </div>
      </div>
    </AdminFrame>
  );
}

/** What a decision is about: the call as this page shows it. */
function ExpectedVersionFields({ call }: { call: ReviewedCall }) {
  return (
    <>
      <input type="hidden" name="id" value={call.id} />
      <input type="hidden" name="seen" value={call.changedAt} />
    </>
  );
}

interface DecisionFormProps {
  readonly call: ReviewedCall;
  readonly path: string;
  readonly action: (previous: FormState, form: FormData) => Promise<FormState>;
  readonly isEnabled: boolean;
  readonly label: string;
  readonly hint?: string;
  readonly kind?: "plain" | "danger";
}

function DecisionForm({
  call,
  path,
  action,
  isEnabled,
  label,
  hint,
  kind = "plain",
}: DecisionFormProps) {
  return (
    <ActionForm action={action} className="form-button" loginNext={path}>
      {isEnabled && (
        <>
          <ExpectedVersionFields call={call} />
          <SubmitButton kind={kind}>{label}</SubmitButton>
          {hint && <p className="form-hint">{hint}</p>}
        </>
      )}
      <FocusOnSuccess />
    </ActionForm>
  );
}

/** Stays the same form when there is an answer: the recorder forgets what was sent when it sees the form done. */
function AnswerForm({
  call,
  path,
  owner,
  isOn,
}: {
  call: ReviewedCall;
  path: string;
  owner: string;
  isOn: boolean;
}) {
  const isAgain = call.answer !== null;
  return (
    <ActionForm action={saveAnswerAction} className="form" loginNext={path} ownMessage>
      {isOn && (
        <>
          <ExpectedVersionFields call={call} />
          <noscript>
            <p className="form-message">
              To record or send an answer, switch JavaScript on. Everything else here works without.
            </p>
          </noscript>
          <details className="episode-apart needs-script" open={!isAgain}>
            <summary>{isAgain ? "Answer again" : "Record it, or choose a file"}</summary>
            <div>
              <Recorder
                name="uploadId"
                draftKey={`answer-${call.id}`}
                maxMs={MAX_ANSWER_MS}
                maxBytes={MAX_ANSWER_BYTES}
                owner={owner}
              />
              <div>
                <SubmitButton kind={isAgain ? "plain" : "main"}>
                  {isAgain ? "Keep this answer instead" : "Keep this answer"}
                </SubmitButton>
              </div>
            </div>
          </details>
        </>
      )}
      <TransitionMessage isSo={call.state === "ANSWERED"} loginNext={path} />
      <FocusOnSuccess />
    </ActionForm>
  );
}
