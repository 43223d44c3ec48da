"use client";
// Renders the hidden version of an optimistic lock.

import { useEffect, useRef, useState } from "react";
import { useActionForm } from "#components/ui/action-form.tsx";

const hasUnsavedInput = ({ elements }: HTMLFormElement): boolean =>
  [...elements].some(
    (field) =>
      (field instanceof HTMLTextAreaElement ||
        (field instanceof HTMLInputElement && field.type !== "hidden")) &&
      field.value !== field.defaultValue,
  );

/**
 * Keeps the version that the admin has seen. A refresh by another form of the page brings a newer
 * one, but leaves what is typed in this form.
 */
export function VersionField({ name, value }: { name: string; value: string | number }) {
  const { state } = useActionForm();
  const [version, setVersion] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const form = input.current?.form;
    if (form && state.status !== "refused" && !hasUnsavedInput(form)) setVersion(value);
  }, [value, state]);
  return <input ref={input} type="hidden" name={name} value={version} />;
}
