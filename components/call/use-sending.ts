"use client";
// Sends the recording before its form: the form is held back until the server has the audio, then goes on its own way.

import { type RefObject, useCallback, useEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { type UploadState, UploadRefused, giveUp, upload } from "./uploader.ts";

interface Given {
  root: RefObject<HTMLElement | null>;
  /** False where the form is sent without audio: it passes through. */
  isOn: boolean;
  /** The audio and its upload, or the sentence that says why there is none to send. */
  ready: () => { audio: Blob; uploadId: string } | { problem: string };
  /** A new upload id for the same audio. */
  renew: () => Promise<string>;
}

/** `uploadId` belongs into the form's hidden field: "" until the server has everything. */
export function useSending({ root, isOn, ready, renew }: Given) {
  const [uploadId, setUploadId] = useState("");
  const [state, setState] = useState<UploadState | null>(null);
  const [error, setError] = useState<string | null>(null);
  const current = useRef<AbortController | null>(null);
  const isPassing = useRef(false);
  /** The upload that the server may know of. */
  const begun = useRef<string | null>(null);
  const given = useRef({ ready, renew, isOn });
  useEffect(() => {
    given.current = { ready, renew, isOn };
  });

  const cancel = useCallback(() => {
    current.current?.abort();
    current.current = null;
    setState(null);
  }, []);

  const send = useCallback(async (form: HTMLFormElement, submitter: HTMLElement | null) => {
    if (current.current) return;
    const what = given.current.ready();
    if ("problem" in what) return setError(what.problem);
    const mine = new AbortController();
    current.current = mine;
    setError(null);
    const run = (id: string) => upload({ id, audio: what.audio, signal: mine.signal, onState: (next) => !mine.signal.aborted && setState(next) });
    let id = (begun.current = what.uploadId);
    try {
      await run(id).catch(async (error: unknown) => {
        if (!(error instanceof UploadRefused) || error.status !== 409) throw error;
        id = begun.current = await given.current.renew();
        return run(id);
      });
    } catch (error) {
      if (mine.signal.aborted) return;
      current.current = null;
      setState(null);
      setError(error instanceof UploadRefused ? error.message : "The recording could not be read. Try again, or record it again.");
      return;
    }
    if (mine.signal.aborted) return;
    current.current = null;
    flushSync(() => {
      setState(null);
      setUploadId(id);
    });
    isPassing.current = true;
    // The button that was pressed may be gone by now.
    form.requestSubmit(submitter instanceof HTMLButtonElement && submitter.form === form ? submitter : null);
    isPassing.current = false;
  }, []);

  useEffect(() => {
    const form = root.current?.closest("form");
    if (!form) return;
    const onSubmit = (event: SubmitEvent) => {
      if (isPassing.current || !given.current.isOn) return;
      // React listens further up: it never hears of this one.
      event.preventDefault();
      event.stopPropagation();
      void send(form, event.submitter);
    };
    form.addEventListener("submit", onSubmit);
    return () => {
      form.removeEventListener("submit", onSubmit);
      current.current?.abort();
      current.current = null;
    };
  }, [root, send]);

  /** Ends what is on its way. `isWanted` is false for audio that was thrown away: the server forgets it too. */
  const reset = useCallback(
    (isWanted: boolean) => {
      cancel();
      if (!isWanted && begun.current) void giveUp(begun.current);
      begun.current = null;
      setUploadId("");
      setError(null);
    },
    [cancel],
  );

  return { uploadId, state, error, cancel, reset, setError };
}
