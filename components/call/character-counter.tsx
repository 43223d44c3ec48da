"use client";
// How many characters a field has so far, counted as the server counts them. Stands in the field's hint.

import { useEffect, useRef, useState } from "react";

const identity = (text: string) => text;

/** `clean` is what the server does before it counts; the same function each time. Without JavaScript it shows nothing. Not a live region: a count after every letter would talk over the typing. */
export function CharacterCounter({
  min,
  max,
  clean = identity,
}: {
  min: number;
  max: number;
  clean?: (text: string) => string;
}) {
  const here = useRef<HTMLSpanElement>(null);
  const [count, setCount] = useState(0);
  useEffect(() => {
    const field = here.current
      ?.closest(".form-field")
      ?.querySelector<HTMLInputElement | HTMLTextAreaElement>("input, textarea");
    if (!field) return;
    const look = () => setCount([...clean(field.value.normalize("NFC")).trim()].length);
    // A reset tells before it happens.
    const lookLater = () => queueMicrotask(look);
    look();
    field.addEventListener("input", look);
    field.form?.addEventListener("reset", lookLater);
    const { form } = field;
    return () => {
      field.removeEventListener("input", look);
      form?.removeEventListener("reset", lookLater);
    };
  }, [clean]);
  const difference =
    count === 0
      ? ""
      : count < min
        ? `${min - count} more needed`
        : count > max
          ? `${count - max} too many`
          : `${count} so far`;
  return (
    <span ref={here} className="live-count figures" data-off={count > max || undefined}>
      {difference && ` · ${difference}`}
    </span>
  );
}
