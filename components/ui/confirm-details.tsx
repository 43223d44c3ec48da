"use client";
// Hides the button of a dangerous action until its summary is opened. Works without JavaScript.

import { type ReactNode, useEffect, useRef } from "react";
import { useActionForm } from "./action-form.tsx";

/** `children`: what the action does, and its button. */
export function ConfirmDetails({ summary, children }: { summary: ReactNode; children: ReactNode }) {
  const { state } = useActionForm();
  const details = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (state.status !== "done" || !details.current?.open) return;
    details.current.open = false;
    details.current.querySelector("summary")?.focus();
  }, [state]);
  return (
    <details ref={details} className="confirm">
      <summary>{summary}</summary>
      <div>{children}</div>
    </details>
  );
}
