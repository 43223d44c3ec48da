"use client";
// Records a voice inside a form, or takes a file, keeps it in the browser until the server has it, and sends it before the form.

import { type ReactNode, useCallback, useEffect, useId, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { useActionForm } from "#components/ui/action-form.tsx";
import { buildDraftKey } from "#lib/calls/client/recording-draft.ts";
import { formatPositionSpoken } from "#lib/calls/client/format-time.ts";
import { isMicrophoneBlockedByPolicy } from "#lib/calls/client/microphone.ts";
import { RecorderIdle } from "./recorder-idle.tsx";
import { RecorderLive } from "./recorder-live.tsx";
import { RecorderReview } from "./recorder-review.tsx";
import { RecorderSending } from "./recorder-sending.tsx";
import { useDraftFields } from "./use-draft-fields.ts";
import { type RecorderPhase, useRecorder } from "./use-recorder.ts";
import { useUploadBeforeSubmit } from "./use-upload-before-submit.ts";

const RELOAD_FLAG = "lectern-recorder-reloaded";
const NO_FIELDS: readonly string[] = [];

interface Props {
  /** The form's field for the id of the upload; empty when there is no recording. */
  name: string;
  /** What the draft is for; one draft each. */
  draftKey: string;
  maxMs: number;
  maxBytes: number;
  /** An opaque text for the member (lib/calls/draft-owner-id.ts), so that drafts on a shared computer stay apart. */
  owner?: string;
  /** Fields of the form to keep with the draft. */
  draftFields?: readonly string[];
  /** A hidden field that the recorder fills with the id of what the form makes: kept with the draft, so that sending again after a lost answer makes nothing twice. */
  formId?: { readonly name: string; readonly value: string };
  /** False where the form is sent without audio; what was recorded stays kept until the form was stored. */
  isEnabled?: boolean;
  /** Told when the recording sets out and when that has ended. The same function each time. */
  onSendingChange?: (isSending: boolean) => void;
  /** The form may be sent without a recording. */
  isOptional?: boolean;
}

/** What ends by itself: a press waits for it, and the form is sent then. */
const PENDING_MESSAGES: Partial<Record<RecorderPhase, string>> = {
  opening:
    "The browser is still looking for your unsent recording. It is sent as soon as it is found.",
  ending: "The recording is being finished. It is sent as soon as that is done.",
  reading: "The file is still being read. It is sent as soon as that is done.",
};

/** What waits for the member. */
const NOT_READY_MESSAGES: Partial<Record<RecorderPhase, string>> = {
  elsewhere: "This recording is open in another tab. Send it from there, or close that tab.",
  asking: "Answer the browser’s question about the microphone first, or give it up.",
  checking:
    "There is no recording yet: the microphone is on, but nothing is recorded. Start recording, or choose a file.",
  recording: "You are still recording. Stop first, then send.",
  paused: "The recording is paused. Stop first, then send.",
};

/**
 * Stands inside an <ActionForm>. How the sending goes is shown in the form's `<div data-recorder-status="" />`, else below the recorder.
 * Without JavaScript it is not shown, and its field is empty.
 */
export function Recorder({
  name,
  draftKey,
  maxMs,
  maxBytes,
  owner = "",
  draftFields = NO_FIELDS,
  formId,
  isEnabled = true,
  isOptional = false,
  onSendingChange,
}: Props) {
  const root = useRef<HTMLDivElement>(null);
  const title = useId();
  const form = useActionForm();
  const errorNote = useRef<HTMLDivElement>(null);
  const [wantsFocus, setWantsFocus] = useState(0);
  // How the sending goes is said beside the button that sends, if the form has a place for it.
  const [slot, setSlot] = useState<Element | null>(null);
  useEffect(
    () => setSlot(root.current?.closest("form")?.querySelector("[data-recorder-status]") ?? null),
    [],
  );
  // The two need one another: what is restored comes with the draft, what is kept goes into it.
  const restore = useRef<(texts: Readonly<Record<string, string>>) => void>(() => {});
  const onTexts = useCallback(
    (texts: Readonly<Record<string, string>>) => restore.current(texts),
    [],
  );
  const recorder = useRecorder({
    draftKey: buildDraftKey(owner, draftKey),
    formId: form.state.values[formId?.name ?? ""] ?? formId?.value ?? "",
    maxMs,
    onTexts,
  });
  const { phase, recorded, keeper, forget } = recorder;
  const keepTexts = useCallback(
    (texts: Record<string, string>) => void keeper.current?.updateTexts(texts),
    [keeper],
  );
  const fill = useDraftFields(root, draftFields, keepTexts);
  useEffect(() => {
    restore.current = fill;
  }, [fill]);

  const sending = useUploadBeforeSubmit({
    root,
    isEnabled,
    getSource() {
      const { current } = keeper;
      if (recorded && current) return { audio: recorded.audio, uploadId: current.draft.uploadId };
      const text = PENDING_MESSAGES[phase];
      if (isOptional && phase === "idle") return null;
      if (text) return { held: text, isFilling: phase === "opening" };
      return {
        problem:
          NOT_READY_MESSAGES[phase] ?? "There is no recording yet: record one, or choose a file.",
      };
    },
    flushDraft: async () => keeper.current?.flush(),
    newUploadId: recorder.renewUpload,
  });
  const { reset, error: sendError } = sending;

  useEffect(() => {
    // Reached without loading a document (after a log-in): the document's policy is another page's. Once, with nothing typed yet.
    try {
      if (isMicrophoneBlockedByPolicy() && !sessionStorage.getItem(RELOAD_FLAG)) {
        sessionStorage.setItem(RELOAD_FLAG, "1");
        location.reload();
      } else sessionStorage.removeItem(RELOAD_FLAG);
    } catch {
      // Storage is blocked: the browser will say that the microphone is not allowed.
    }
  }, []);

  // Stored: nothing is kept any more. Where the form leads elsewhere, <DraftSent> there does the same.
  useEffect(() => {
    if (form.state.status !== "done") return;
    forget();
    reset(true);
  }, [form.state, forget, reset]);

  const { pause, isLasting } = recorder;
  const isLive = phase === "recording" || phase === "paused" || phase === "ending";
  const isRecording = phase === "recording";
  useEffect(() => {
    if (!isEnabled && isRecording) pause();
  });

  // Only memory has it: the browser asks before the tab is closed.
  const wouldBeLost = isLive || (recorded !== null && !isLasting);
  useEffect(() => {
    if (!wouldBeLost) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [wouldBeLost]);

  // The button that was pressed is gone: the focus goes to the first of the new ones, never to nowhere.
  useEffect(() => {
    const panel = root.current;
    const lost =
      document.activeElement === document.body || panel?.contains(document.activeElement);
    if (wantsFocus && lost) panel?.querySelector<HTMLElement>("[data-first]")?.focus();
  }, [phase, wantsFocus]);
  useEffect(() => {
    if (sendError) errorNote.current?.focus();
  }, [sendError]);

  const act = (action: () => unknown) => () => {
    setWantsFocus((count) => count + 1);
    sending.setError(null);
    void action();
  };
  const throwAway = () => {
    reset(false);
    recorder.throwAway();
  };
  const isSending = sending.state !== null;
  useEffect(() => onSendingChange?.(isSending), [onSendingChange, isSending]);
  const status = (
    <>
      {sending.state && <RecorderSending state={sending.state} onCancel={act(sending.cancel)} />}
      {sendError && (
        <div
          ref={errorNote}
          className="form-message form-message-refused"
          role="alert"
          tabIndex={-1}
        >
          <p>{sendError}</p>
        </div>
      )}
    </>
  );

  return (
    <div
      ref={root}
      className="recorder needs-script"
      role="group"
      aria-labelledby={title}
      hidden={!isEnabled}
      data-phase={phase}
      data-sending={isSending || undefined}
    >
      <p id={title} className="visually-hidden">
        Recording, {formatPositionSpoken(maxMs)} at most
      </p>
      <p className="visually-hidden" role="status">
        {recorder.said}
      </p>
      <input type="hidden" name={name} value={isEnabled ? sending.uploadId : ""} />
      {formId && <input type="hidden" name={formId.name} value={recorder.formId} />}
      {recorder.problem && (
        <RecorderNote role="alert" kind="problem" title={recorder.problem.title}>
          {recorder.problem.text}
        </RecorderNote>
      )}
      {phase === "opening" && (
        <p className="recorder-wait muted">Looking for an unsent recording…</p>
      )}
      {phase === "elsewhere" && (
        <RecorderNote role="status" title="This recording is open in another tab.">
          Go on there, or close that tab: then it opens here by itself.
        </RecorderNote>
      )}
      {(phase === "idle" || phase === "asking" || phase === "checking" || phase === "reading") && (
        <RecorderIdle recorder={recorder} act={act} maxMs={maxMs} maxBytes={maxBytes} />
      )}
      {isLive && <RecorderLive recorder={recorder} act={act} maxMs={maxMs} />}
      {phase === "recorded" && recorded && (
        <RecorderReview
          recorded={recorded}
          onThrowAway={act(throwAway)}
          isSending={isSending || form.pending}
        />
      )}
      {!isLasting && phase !== "opening" && (
        <RecorderNote role="status" title="This browser does not keep recordings.">
          Its storage is blocked or full. Send yours before you close this tab, or it is lost.
        </RecorderNote>
      )}
      {slot ? createPortal(status, slot) : status}
    </div>
  );
}

function RecorderNote({
  role,
  kind,
  title,
  children,
}: {
  role: "alert" | "status";
  kind?: "problem";
  title: string;
  children: ReactNode;
}) {
  return (
    <div className={kind ? "recorder-note recorder-note-problem" : "recorder-note"} role={role}>
      <p>
        <strong>{title}</strong> {children}
      </p>
    </div>
  );
}
