"use client";
// Shows a notice and focuses it, so that screen readers announce it.

import { useEffect, useRef, type ReactNode } from "react";

/** Takes the focus when mounted; use a new `key` for each event. `isAlert`: something went wrong. */
export function Notice({ isAlert = false, children }: { isAlert?: boolean; children: ReactNode }) {
  const notice = useRef<HTMLDivElement>(null);
  useEffect(() => notice.current?.focus(), []);
  return (
    <div
      ref={notice}
      role={isAlert ? "alert" : "status"}
      className={isAlert ? "form-message form-message-refused" : "form-message form-message-done"}
      tabIndex={-1}
    >
      <p>{children}</p>
    </div>
  );
}
