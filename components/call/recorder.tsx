"use client";
// Records audio inside a form, or accepts a file. Stores it in the browser, and uploads it before the form is sent.

import { type ReactNode, type RefObject, useEffect, useId, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { useActionForm } from "#components/ui/action-form.tsx";
import { isMicrophoneBlockedByPolicy } from "#lib/calls/client/microphone.ts";
import { PROBLEM_MESSAGES } from "#lib/calls/client/recorder-messages.ts";
import { isLiveState } from "#lib/calls/client/recorder-state.ts";
import type { RecorderProblem } from "#lib/calls/client/recorder-types.ts";
import { buildDraftKey } from "#lib/calls/client/recording-draft.ts";
import { formatDuration } from "#lib/core/format.ts";
import { RecorderIdle } from "./recorder-idle.tsx";
import { RecorderLive } from "./recorder-live.tsx";
import { RecorderReview } from "./recorder-review.tsx";
import { RecorderUpload } from "./recorder-upload.tsx";
import { useDraftFields } from "./use-draft-fields.ts";
import { useRecorderController, useRecorderState } from "./use-recorder.ts";
import { useUploadBeforeSubmit } from "./use-upload-before-submit.ts";

const RELOAD_FLAG = "lectern-recorder-reloaded";
const NO_FIELDS: readonly string[] = [];

interface Props {
  /** The form's field for the upload id; empty without a recording. */
  name: string;
  /** The purpose of the draft: each has its own. */
  draftKey: string;
  maxMs: number;
  maxBytes: number;
  /** An opaque id of the member (lib/calls/draft-owner-id.ts) that separates drafts on a shared computer. */
  owner?: string;
  /** Text fields of the form to store with the draft. */
  draftFields?: readonly string[];
  /** A hidden field for the idempotency key of the form, stored with the draft. `value` is used for a new draft. */
  formId?: { readonly name: string; readonly value: string };
  /** False to send the form without audio. The recording stays until the form has been stored. */
  isEnabled?: boolean;
  /** Called when the upload starts and ends. Must be stable. */
  onSendingChange?: (isSending: boolean) => void;
}

/**
 * Belongs inside an <ActionForm>. The state of the upload is shown in the form's `<div
 * data-recorder-status="" />`, or below the recorder.
 * Without JavaScript the recorder is hidden and its field empty.
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
  onSendingChange,
}: Props) {
  const root = useRef<HTMLDivElement>(null);
  const titleId = useId();
  const form = useActionForm();
  const [actionCount, setActionCount] = useState(0);
  const controller = useRecorderController({
    formId: form.state.values[formId?.name ?? ""] ?? formId?.value ?? "",
    maxMs,
  });
  const fillFields = useDraftFields(root, draftFields, controller.saveTexts);
  const state = useRecorderState(controller, buildDraftKey(owner, draftKey), fillFields);
  useUploadBeforeSubmit(root, controller, isEnabled);
  useReloadIfBlockedByPolicy();
  const { phase, upload, isPersistent, problem } = state;
  const isLive = isLiveState(state);

  // Stored. If the form redirects, <ClearSentDraft> on the next page does the same.
  useEffect(() => {
    if (form.state.status === "done") controller.clear();
  }, [form.state, controller]);

  useEffect(() => {
    if (isEnabled) return;
    if (phase === "recording") controller.pause();
    // A hidden test would keep the microphone on.
    else controller.cancel();
  }, [isEnabled, phase, controller]);

  useConfirmBeforeUnload(isLive || (phase === "recorded" && !isPersistent));

  // The clicked button may be gone: the focus moves to the first new one.
  useEffect(() => {
    const panel = root.current;
    const isFocusInside =
      document.activeElement === document.body || panel?.contains(document.activeElement);
    if (actionCount && isFocusInside) panel?.querySelector<HTMLElement>("[data-first]")?.focus();
  }, [phase, actionCount]);

  const act = (action: () => unknown) => () => {
    setActionCount((count) => count + 1);
    controller.dispatch({ type: "upload-error-dismissed" });
    void action();
  };
  const isSending = upload.step === "pending" || upload.step === "running";
  useEffect(() => onSendingChange?.(isSending), [onSendingChange, isSending]);

  return (
    <div
      ref={root}
      className="recorder needs-script"
      role="group"
      aria-labelledby={titleId}
      hidden={!isEnabled}
      data-phase={phase}
      data-sending={isSending || undefined}
    >
      <p id={titleId} className="visually-hidden">
        Recording, up to {formatDuration(maxMs, "spoken-position")}
      </p>
      <p className="visually-hidden" role="status">
        {state.announcement}
      </p>
      <input
        type="hidden"
        name={name}
        value={isEnabled && upload.step === "done" ? upload.uploadId : ""}
      />
      {formId && <input type="hidden" name={formId.name} value={state.formId} />}
      {problem && <ProblemNote problem={problem} />}
      {phase === "opening" && (
        <p className="recorder-wait muted">Looking for an unsent recording…</p>
      )}
      {phase === "locked" && (
        <RecorderNote role="status" title="This recording is open in another tab.">
          Continue there, or close that tab.
        </RecorderNote>
      )}
      {(phase === "idle" ||
        phase === "requesting-permission" ||
        phase === "testing-microphone" ||
        phase === "reading") && <RecorderIdle {...{ state, controller, act, maxMs, maxBytes }} />}
      {isLiveState(state) && <RecorderLive {...{ state, controller, act }} />}
      {state.phase === "recorded" && (
        <RecorderReview
          recorded={state.recorded}
          onDiscard={act(() => controller.discard())}
          isSending={isSending || form.pending}
        />
      )}
      {!isPersistent && phase !== "opening" && (
        <RecorderNote role="status" title="Your browser can’t save drafts.">
          Send before closing this tab.
        </RecorderNote>
      )}
      <StatusSlot root={root}>
        <RecorderUpload upload={upload} onCancel={act(() => controller.cancelUpload())} />
      </StatusSlot>
    </div>
  );
}

/**
 * Client-side navigation (after a login) keeps the previous page's Permissions-Policy, which may forbid the microphone.
 * Reloads once, before anything is typed.
 */
function useReloadIfBlockedByPolicy(): void {
  useEffect(() => {
    try {
      if (isMicrophoneBlockedByPolicy() && !sessionStorage.getItem(RELOAD_FLAG)) {
        sessionStorage.setItem(RELOAD_FLAG, "1");
        location.reload();
      } else sessionStorage.removeItem(RELOAD_FLAG);
    } catch {
      // Storage is blocked: the browser will report that the microphone is not allowed.
    }
  }, []);
}

/** Asks before the tab is closed while only memory has the recording. */
function useConfirmBeforeUnload(isNeeded: boolean): void {
  useEffect(() => {
    if (!isNeeded) return;
    const confirm = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", confirm);
    return () => removeEventListener("beforeunload", confirm);
  }, [isNeeded]);
}

/** Renders its children next to the form's submit button, if the form has a place for them. */
function StatusSlot({
  root,
  children,
}: {
  root: RefObject<HTMLElement | null>;
  children: ReactNode;
}) {
  const [slot, setSlot] = useState<Element | null>(null);
  useEffect(
    () => setSlot(root.current?.closest("form")?.querySelector("[data-recorder-status]") ?? null),
    [root],
  );
  return slot ? createPortal(children, slot) : children;
}

function ProblemNote({ problem }: { problem: RecorderProblem }) {
  const { title, text } =
    problem.code === "file-rejected"
      ? { title: "We can’t use this file.", text: problem.text }
      : PROBLEM_MESSAGES[problem.code];
  return (
    <RecorderNote role="alert" kind="problem" title={title}>
      {text}
    </RecorderNote>
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
