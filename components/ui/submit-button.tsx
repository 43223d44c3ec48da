"use client";
// Renders the button of a form, and a form that is only a button.

import type { ComponentProps, ReactNode } from "react";
import { ActionForm, type FormAction, useActionForm } from "./action-form.tsx";
import { ConfirmDetails } from "./confirm-details.tsx";

const CLASS_NAMES = {
  main: "button button-main",
  plain: "button",
  danger: "button button-danger",
  quiet: "button button-plain",
};

type ButtonKind = keyof typeof CLASS_NAMES;

/** Submits the form. `kind`: main for the page's primary action, danger for what can't be undone. */
export function SubmitButton({
  children,
  kind = "main",
  ...rest
}: Omit<ComponentProps<"button">, "type"> & { kind?: ButtonKind }) {
  const { pending } = useActionForm();
  return (
    // aria-disabled, since a disabled button loses the focus. <ActionForm> ignores its clicks.
    <button
      type="submit"
      className={CLASS_NAMES[kind]}
      aria-disabled={pending || undefined}
      {...rest}
    >
      {children}
    </button>
  );
}

/** A submit button. With `consequences`, it is hidden until asked for, after what the action does. */
export function ConfirmedButton({
  kind,
  consequences,
  children,
}: {
  kind: ButtonKind;
  consequences: string | undefined;
  children: ReactNode;
}) {
  if (!consequences) return <SubmitButton kind={kind}>{children}</SubmitButton>;
  return (
    <ConfirmDetails summary={children}>
      <p>{consequences}</p>
      <SubmitButton kind="danger">{children}</SubmitButton>
    </ConfirmDetails>
  );
}

/**
 * A form that is only a button, with `fields` as hidden inputs. `consequences` says what a dangerous
 * action does, before its button.
 */
export function ActionButton({
  action,
  fields = {},
  children,
  kind = "plain",
  loginNext,
  consequences,
}: {
  action: FormAction;
  fields?: Record<string, string>;
  children: ReactNode;
  kind?: ButtonKind;
  loginNext?: string;
  consequences?: string;
}) {
  return (
    <ActionForm action={action} loginNext={loginNext} className="form-button">
      {Object.entries(fields).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      <ConfirmedButton kind={kind} consequences={consequences}>
        {children}
      </ConfirmedButton>
    </ActionForm>
  );
}
