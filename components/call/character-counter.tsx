"use client";
// Counts the characters of a field as the server does. Belongs in the field's hint.

import { useEffect, useRef, useState } from "react";

const identity = (text: string) => text;

/**
 * `normalize` must be stable, and do what the server does before it counts. Empty without JavaScript.
 * It is not a live region, which would interrupt typing.
 */
export function CharacterCounter({
  max,
  normalize = identity,
}: {
  max: number;
  normalize?: (text: string) => string;
}) {
  const root = useRef<HTMLSpanElement>(null);
  const [count, setCount] = useState(0);
  useEffect(() => {
    const field = root.current
      ?.closest(".form-field")
      ?.querySelector<HTMLInputElement | HTMLTextAreaElement>("input, textarea");
    if (!field) return;
    const update = () => setCount([...normalize(field.value.normalize("NFC")).trim()].length);
    // The reset event precedes the reset.
    const updateAfterReset = () => queueMicrotask(update);
    update();
    field.addEventListener("input", update);
    field.form?.addEventListener("reset", updateAfterReset);
    const { form } = field;
    return () => {
      field.removeEventListener("input", update);
      form?.removeEventListener("reset", updateAfterReset);
    };
  }, [normalize]);
  return (
    <span ref={root} className="live-count figures" data-off={count > max || undefined}>
      {count > 0 && ` · ${count}/${max}`}
    </span>
  );
}
