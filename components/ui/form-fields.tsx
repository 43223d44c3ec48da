"use client";
// Renders form fields with label, hint and error.

import { useId, type ComponentProps, type ReactNode } from "react";
import { isOnlyError, useActionForm } from "./action-form.tsx";

interface FieldProps {
  name: string;
  label: ReactNode;
  hint?: ReactNode;
}

/** Returns the field's id, value and error, and the attributes that link hint and error to it. */
function useField(
  name: string,
  hint: ReactNode,
  defaultValue: string | number | readonly string[] | undefined,
) {
  const { state, fieldNames } = useActionForm();
  fieldNames.add(name);
  const id = useId();
  const error = state.errors[name] && {
    text: state.errors[name],
    // Announced, because the field may have the focus already.
    role: isOnlyError(state, name) ? ("alert" as const) : undefined,
  };
  const describedBy =
    [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  return {
    id,
    error,
    value: state.values[name] ?? defaultValue,
    aria: { "aria-invalid": error ? true : undefined, "aria-describedby": describedBy },
  };
}

function FieldFrame({
  id,
  label,
  hint,
  error,
  children,
}: {
  id: string;
  label: ReactNode;
  hint: ReactNode;
  error: { text: string; role: "alert" | undefined } | "" | undefined;
  children: ReactNode;
}) {
  return (
    <div className="form-field">
      <label htmlFor={id}>{label}</label>
      {hint && (
        <p className="form-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {children}
      {error && (
        <p className="form-error" id={`${id}-error`} role={error.role}>
          {error.text}
        </p>
      )}
    </div>
  );
}

/** A single-line field. */
export function Field({
  name,
  label,
  hint,
  defaultValue,
  ...rest
}: FieldProps & Omit<ComponentProps<"input">, "name" | "id">) {
  const { id, error, value, aria } = useField(name, hint, defaultValue);
  return (
    <FieldFrame id={id} label={label} hint={hint} error={error}>
      <input className="field" id={id} name={name} defaultValue={value} {...aria} {...rest} />
    </FieldFrame>
  );
}

/** A field for an email address, required. `offersPasskeys` lists passkeys in its autofill. */
export function EmailField({
  hint,
  offersPasskeys = false,
}: {
  hint?: ReactNode;
  offersPasskeys?: boolean;
}) {
  return (
    <Field
      name="email"
      label="Email address"
      hint={hint}
      type="email"
      inputMode="email"
      autoComplete={offersPasskeys ? "email webauthn" : "email"}
      autoCapitalize="none"
      spellCheck={false}
      required
      maxLength={254}
    />
  );
}

/** A multi-line field. */
export function TextField({
  name,
  label,
  hint,
  defaultValue,
  rows = 6,
  ...rest
}: FieldProps & Omit<ComponentProps<"textarea">, "name" | "id">) {
  const { id, error, value, aria } = useField(name, hint, defaultValue);
  return (
    <FieldFrame id={id} label={label} hint={hint} error={error}>
      <textarea
        className="field"
        id={id}
        name={name}
        rows={rows}
        defaultValue={value}
        {...aria}
        {...rest}
      />
    </FieldFrame>
  );
}

/** A checkbox. After the form was rejected, it is checked if it was submitted so. */
export function CheckboxField({
  name,
  label,
  defaultChecked = false,
}: Pick<FieldProps, "name" | "label"> & { defaultChecked?: boolean }) {
  const { state } = useActionForm();
  const { id, value, aria } = useField(name, undefined, undefined);
  // Browsers don't send an unchecked box.
  const isChecked = state.status === "refused" ? value === "on" : defaultChecked;
  return (
    <div className="form-check">
      {/* The key remounts it, because a checkbox ignores a changed defaultChecked. */}
      <input
        type="checkbox"
        id={id}
        name={name}
        key={String(isChecked)}
        defaultChecked={isChecked}
        {...aria}
      />
      <label htmlFor={id}>{label}</label>
    </div>
  );
}

/** A select; the options are its children. */
export function SelectField({
  name,
  label,
  hint,
  defaultValue,
  children,
  ...rest
}: FieldProps & Omit<ComponentProps<"select">, "name" | "id">) {
  const { id, error, value, aria } = useField(name, hint, defaultValue);
  return (
    <FieldFrame id={id} label={label} hint={hint} error={error}>
      {/* The key remounts it: a select ignores a changed defaultValue. */}
      <select
        className="field"
        id={id}
        name={name}
        key={String(value)}
        defaultValue={value}
        {...aria}
        {...rest}
      >
        {children}
      </select>
    </FieldFrame>
  );
}
