"use client";
// Uploads the recording before its form is submitted: intercepts the submission, and repeats it
// once the server has the audio.

import { type RefObject, useEffect, useRef } from "react";
import { flushSync } from "react-dom";
import type { RecorderController } from "#lib/calls/client/recorder-controller.ts";

/** If `isEnabled` is false, the form is submitted without audio. */
export function useUploadBeforeSubmit(
  root: RefObject<HTMLElement | null>,
  controller: RecorderController,
  isEnabled: boolean,
): void {
  const isResubmitting = useRef(false);
  useEffect(() => {
    const form = root.current?.closest("form");
    if (!form) return;
    if (!isEnabled) {
      if (controller.getState().upload.step === "pending") controller.cancelUpload();
      return;
    }
    const upload = async (submitter: HTMLElement | null) => {
      const uploadId = await controller.upload(() => form.reportValidity());
      if (uploadId === null) return;
      // Writes the id into the hidden field before the form is read.
      flushSync(() => controller.dispatch({ type: "upload-completed", uploadId }));
      isResubmitting.current = true;
      // The submitter may have been removed from the form.
      form.requestSubmit(
        submitter instanceof HTMLButtonElement && submitter.form === form ? submitter : null,
      );
      isResubmitting.current = false;
    };
    const onSubmit = (event: SubmitEvent) => {
      if (isResubmitting.current) return;
      // React listens on the root and must not see this event.
      event.preventDefault();
      event.stopPropagation();
      void upload(event.submitter);
    };
    // The draft may be about to fill the empty fields, so the submission waits.
    const onInvalid = (event: Event) => {
      if (isResubmitting.current || controller.getState().phase !== "opening") return;
      event.preventDefault();
      void upload(null);
    };
    form.addEventListener("submit", onSubmit);
    form.addEventListener("invalid", onInvalid, true);
    return () => {
      form.removeEventListener("submit", onSubmit);
      form.removeEventListener("invalid", onInvalid, true);
    };
  }, [root, controller, isEnabled]);
}
