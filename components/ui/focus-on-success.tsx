"use client";
// For a form whose button goes with the row it is about: the focus goes to what was done, instead of nowhere.

import { useEffect, useRef } from "react";
import { useActionForm } from "./action-form.tsx";

/** Inside an <ActionForm>. */
export function FocusOnSuccess() {
  const { state } = useActionForm();
  const here = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (
      state.status !== "done" ||
      (document.activeElement && document.activeElement !== document.body)
    )
      return;
    here.current?.closest("form")?.querySelector<HTMLElement>("[data-form-message]")?.focus();
  }, [state]);
  return <span ref={here} hidden />;
}
