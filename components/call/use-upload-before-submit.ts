"use client";
// Sends the recording before its form: the form is held back until the server has the audio, then goes on its own way.

import { type RefObject, useCallback, useEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import {
  type UploadProgress,
  UploadError,
  abortUpload,
  uploadRecording,
} from "#lib/calls/client/uploader.ts";

/** Pressed, and waiting for what is sent: `text` says for what. */
export type SubmissionState = UploadProgress | { readonly kind: "held"; readonly text: string };

type SubmissionSource =
  | { readonly audio: Blob; readonly uploadId: string }
  /** Not yet, and it ends by itself. `isFilling`: fields that are empty may be filled by then. */
  | { readonly held: string; readonly isFilling: boolean }
  | { readonly problem: string }
  /** There is none, and none is needed: the form passes through. */
  | null;

interface UploadBeforeSubmitOptions {
  root: RefObject<HTMLElement | null>;
  /** False where the form is sent without audio: it passes through. */
  isEnabled: boolean;
  /** The audio and its upload, or the sentence that says why there is none to send, or none yet. */
  getSource: () => SubmissionSource;
  /** Resolves when the browser keeps what was written. */
  flushDraft: () => Promise<void>;
  /** A new upload id for the same audio. */
  newUploadId: () => Promise<string>;
}

/** `uploadId` belongs into the form's hidden field: "" until the server has everything. */
export function useUploadBeforeSubmit({
  root,
  isEnabled,
  getSource,
  flushDraft,
  newUploadId,
}: UploadBeforeSubmitOptions) {
  const [uploadId, setUploadId] = useState("");
  const [state, setState] = useState<SubmissionState | null>(null);
  const [error, setError] = useState<string | null>(null);
  const current = useRef<AbortController | null>(null);
  const isPassing = useRef(false);
  /** The upload that the server may know of. */
  const begun = useRef<string | null>(null);
  const given = useRef({ ready: getSource, kept: flushDraft, renew: newUploadId, isOn: isEnabled });
  /** Looks again whether a press that is held may go on. */
  const look = useRef<() => void>(() => {});
  useEffect(() => {
    given.current = { ready: getSource, kept: flushDraft, renew: newUploadId, isOn: isEnabled };
    look.current();
  });

  const cancel = useCallback(() => {
    current.current?.abort();
    current.current = null;
    setState(null);
  }, []);

  const send = useCallback(async (form: HTMLFormElement, submitter: HTMLElement | null) => {
    if (current.current) return;
    const mine = new AbortController();
    current.current = mine;
    setError(null);
    const end = (problem: string | null) => {
      current.current = null;
      setState(null);
      setError(problem);
    };
    const pass = (id: string) => {
      current.current = null;
      flushSync(() => {
        setState(null);
        setUploadId(id);
      });
      isPassing.current = true;
      // The button that was pressed may be gone by now.
      form.requestSubmit(
        submitter instanceof HTMLButtonElement && submitter.form === form ? submitter : null,
      );
      isPassing.current = false;
    };
    let what = given.current.ready();
    const wasHeld = what !== null && "held" in what;
    while (what && "held" in what) {
      const { held: text } = what;
      setState((state) =>
        state?.kind === "held" && state.text === text ? state : { kind: "held", text },
      );
      await new Promise<void>((resolve) => {
        look.current = resolve;
        mine.signal.addEventListener("abort", () => resolve(), { once: true });
      });
      if (mine.signal.aborted) return;
      // Another way to ask was chosen meanwhile: not what was to be sent.
      if (!given.current.isOn) return end(null);
      what = given.current.ready();
    }
    if (!what) return pass("");
    if ("problem" in what) return end(what.problem);
    // The browser judged the fields before they were filled, if at all.
    if (wasHeld && !form.reportValidity()) return end(null);
    const { audio, uploadId } = what;
    const run = (id: string) =>
      uploadRecording({
        id,
        audio,
        signal: mine.signal,
        onState: (next) => !mine.signal.aborted && setState(next),
      });
    let id = (begun.current = uploadId);
    try {
      await run(id).catch(async (error: unknown) => {
        if (!(error instanceof UploadError) || error.status !== 409) throw error;
        id = begun.current = await given.current.renew();
        return run(id);
      });
    } catch (error) {
      if (mine.signal.aborted) return;
      return end(
        error instanceof UploadError
          ? error.message
          : "The recording could not be read. Try again, or record it again.",
      );
    }
    // The answer to the form may get lost: with the recording, its words are kept until then.
    await given.current.kept();
    if (mine.signal.aborted) return;
    pass(id);
  }, []);

  useEffect(() => {
    const form = root.current?.closest("form");
    if (!form) return;
    const onSubmit = (event: SubmitEvent) => {
      if (isPassing.current || !given.current.isOn || !given.current.ready()) return;
      // React listens further up: it never hears of this one.
      event.preventDefault();
      event.stopPropagation();
      void send(form, event.submitter);
    };
    // Fields that the draft is about to fill are not missing: the press waits instead of being refused.
    const onInvalid = (event: Event) => {
      if (isPassing.current || !given.current.isOn) return;
      const what = given.current.ready();
      if (!what || !("held" in what) || !what.isFilling) return;
      event.preventDefault();
      void send(form, null);
    };
    form.addEventListener("submit", onSubmit);
    form.addEventListener("invalid", onInvalid, true);
    return () => {
      form.removeEventListener("submit", onSubmit);
      form.removeEventListener("invalid", onInvalid, true);
      current.current?.abort();
      current.current = null;
    };
  }, [root, send]);

  /** Ends what is on its way. `isWanted` is false for audio that was thrown away: the server forgets it too. */
  const reset = useCallback(
    (isWanted: boolean) => {
      cancel();
      if (!isWanted && begun.current) void abortUpload(begun.current);
      begun.current = null;
      setUploadId("");
      setError(null);
    },
    [cancel],
  );

  return { uploadId, state, error, cancel, reset, setError };
}
