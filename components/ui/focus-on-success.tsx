"use client";
// Focuses the message of a form whose button disappears with its row, so that focus is not lost.

import { useEffect, useRef } from "react";
import { useActionForm } from "./action-form.tsx";

/** Must be inside an <ActionForm>. */
export function FocusOnSuccess() {
  const { state } = useActionForm();
  const marker = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (
      state.status !== "done" ||
      (document.activeElement && document.activeElement !== document.body)
    )
      return;
    marker.current?.closest("form")?.querySelector<HTMLElement>("[data-form-message]")?.focus();
  }, [state]);
  return <span ref={marker} hidden />;
}
