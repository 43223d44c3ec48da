"use client";
// A line that says what has just come about: the focus goes to it, so that it is read out.

import { useEffect, useRef, type ReactNode } from "react";

/** Takes the focus when it appears; give it a `key` of what it tells of, so that it does so each time. `isAlert`: something went wrong. */
export function Notice({ isAlert = false, children }: { isAlert?: boolean; children: ReactNode }) {
  const here = useRef<HTMLDivElement>(null);
  useEffect(() => here.current?.focus(), []);
  return (
    <div
      ref={here}
      role={isAlert ? "alert" : "status"}
      className={isAlert ? "form-message form-message-refused" : "form-message form-message-done"}
      tabIndex={-1}
    >
      <p>{children}</p>
    </div>
  );
}
