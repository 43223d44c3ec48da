// /admin/calls/ID: all of one call, from listening to publishing.
// Every form stands here in every state of the call, with its fields only where they fit: so its message is seen, also without scripts,
// when the call has changed meanwhile.

import { answerNotFound, NotFoundPage } from "../../../not-found-page.tsx";
import { draftOwner } from "../../../calls/draft-owner.ts";
import { adminTitle, requireAdminPage } from "../../require-admin-page.tsx";
import {
  answer,
  decline,
  edit,
  putBack,
  removeAnswer,
  reopen,
  take,
  unpublish,
} from "../actions.ts";
import { PublishForm } from "./publish-form.tsx";
import { StepMessage } from "./step-message.tsx";
import { AdminFrame } from "#components/admin/admin-frame.tsx";
import { When, sizeText } from "#components/admin/when.tsx";
import { CallPlayer } from "#components/call/player.tsx";
import { Recorder } from "#components/call/recorder.tsx";
import { CallStateWord } from "#components/call/review-state.tsx";
import { FocusMessage } from "#components/member/focus-message.tsx";
import { ActionForm, Field, Submit, TextField } from "#components/ui/action-form.tsx";
import type { FormState } from "#lib/action/form-state.ts";
import { isAppError } from "#lib/base/errors.ts";
import { MAX_ANSWER_BYTES, MAX_ANSWER_MS } from "#lib/calls/audio.ts";
import { canJoin } from "#lib/calls/join-audio.ts";
import { nextEpisodeNumber } from "#lib/calls/publish.ts";
import { keywordList } from "#lib/calls/keywords.ts";
import { type ReviewedCall, getReviewedCall } from "#lib/calls/review-queue.ts";
import { snapshotSql } from "#lib/db/database.ts";
import { readIdentity } from "#lib/session/session.ts";

type Props = { params: Promise<{ id: string }> };

export async function generateMetadata({ params }: Props) {
  const { id } = await params;
  return adminTitle((sql, by) => getReviewedCall(sql, { by, callId: id }).title);
}

export default async function CallPage({ params }: Props) {
  const { id } = await params;
  const path = `/admin/calls/${encodeURIComponent(id)}`;
  const { admin, refused } = await requireAdminPage(path);
  if (!admin) return refused;
  const found = await snapshotSql((sql) => {
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
    answerNotFound();
    return <NotFoundPage identity={await readIdentity()} />;
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
              <CallStateWord state={state} by={call.reviewerName} />
              <span>
                from{" "}
                <a href={`/admin/users/${encodeURIComponent(call.userId)}`}>{call.callerName}</a>
              </span>
              <span>
                <When ms={call.createdAt} /> UTC
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
              <Decision
                {...decide}
                action={take}
                isOn={state === "NEW"}
                label="Take it"
                hint="So that no other admin begins the same work. You may also answer or decline at once."
              />
              <Decision
                {...decide}
                action={putBack}
                isOn={state === "REVIEWING"}
                label="Put it back"
              />
            </div>
          </section>
          <section className="desk-section" aria-labelledby="about">
            <h2 id="about">What it is about</h2>
            <ActionForm action={edit} className="form" loginNext={path}>
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
                <Submit kind="plain">Save</Submit>
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
                    <When ms={call.answer.createdAt} /> UTC
                  </span>
                  <span>{sizeText(call.answer.bytes)}</span>
                </p>
              </>
            )}
            {!said && !isOpen && <p className="muted">None.</p>}
            <AnswerForm call={call} path={path} owner={draftOwner(admin)} isOn={isOpen} />
            <Decision
              {...decide}
              action={removeAnswer}
              isOn={state === "ANSWERED"}
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
                <When ms={episode.publishedAt} /> UTC
                {episode.isJoined
                  ? ", with question and answer in one file."
                  : ". Question and answer are played in turn."}
              </p>
            )}
            <PublishForm
              id={call.id}
              seen={call.changedAt}
              loginNext={path}
              number={next}
              isJoined={state === "ANSWERED" && (await canJoin())}
              title={call.title}
              content={
                state === "ANSWERED" && said
                  ? {
                      description: call.description,
                      callerName: call.callerName,
                      keywords: keywordList(call.keywords),
                      transcript: "",
                      call: question,
                      answer: said,
                      joined: null,
                    }
                  : null
              }
            />
            <Decision
              {...decide}
              action={unpublish}
              isOn={state === "PUBLISHED"}
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
            <ActionForm action={decline} className="form" loginNext={path}>
              {isOpen && (
                <>
                  <Seen call={call} />
                  <TextField
                    name="reason"
                    label="Why"
                    hint="The caller gets it by mail, as you write it: 10 to 1,000 characters"
                    required
                    minLength={10}
                    rows={4}
                  />
                  <div>
                    <Submit kind="danger">Decline</Submit>
                  </div>
                </>
              )}
              <FocusMessage />
            </ActionForm>
            <Decision
              {...decide}
              action={reopen}
              isOn={state === "DECLINED"}
              label="Open it again"
            />
          </section>
        </div>
      </div>
    </AdminFrame>
  );
}

/** What a decision is about: the call as this page shows it. */
function Seen({ call }: { call: ReviewedCall }) {
  return (
    <>
      <input type="hidden" name="id" value={call.id} />
      <input type="hidden" name="seen" value={call.changedAt} />
    </>
  );
}

interface DecisionProps {
  readonly call: ReviewedCall;
  readonly path: string;
  readonly action: (previous: FormState, form: FormData) => Promise<FormState>;
  readonly isOn: boolean;
  readonly label: string;
  readonly hint?: string;
  readonly kind?: "plain" | "danger";
}

function Decision({ call, path, action, isOn, label, hint, kind = "plain" }: DecisionProps) {
  return (
    <ActionForm action={action} className="form-button" loginNext={path}>
      {isOn && (
        <>
          <Seen call={call} />
          <Submit kind={kind}>{label}</Submit>
          {hint && <p className="form-hint">{hint}</p>}
        </>
      )}
      <FocusMessage />
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
    <ActionForm action={answer} className="form" loginNext={path} ownMessage>
      {isOn && (
        <>
          <Seen call={call} />
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
                <Submit kind={isAgain ? "plain" : "main"}>
                  {isAgain ? "Keep this answer instead" : "Keep this answer"}
                </Submit>
              </div>
            </div>
          </details>
        </>
      )}
      <StepMessage isSo={call.state === "ANSWERED"} loginNext={path} />
      <FocusMessage />
    </ActionForm>
  );
}
