"use client";
// A form of a server action: works without JavaScript, keeps what was typed, says what is wrong where it is wrong.

import { unstable_isUnrecognizedActionError, unstable_rethrow } from "next/navigation";
import {
  createContext,
  use,
  useActionState,
  useEffect,
  useId,
  useRef,
  useSyncExternalStore,
  type ComponentProps,
  type ReactNode,
} from "react";
import { type FormState, INITIAL_FORM_STATE } from "#lib/http/form-state.ts";

type FormAction = (previous: FormState, form: FormData) => Promise<FormState>;

function failureMessage(error: unknown): string {
  if (unstable_isUnrecognizedActionError(error))
    return "The site has changed since this page was loaded. Copy what you wrote, and load the page again.";
  const { digest } = error as { digest?: unknown };
  if (typeof digest === "string")
    return `That failed, and it is our fault. It has been written down as ${digest}. What you wrote is still here.`;
  return navigator.onLine
    ? "No answer came. What you wrote is still here: send it again."
    : "You are offline. What you wrote is still here: send it again when the connection is back.";
}

/** A connection that breaks while the form is on its way is a refusal like any other: without this the page would give way to the page of faults. */
function catchNetworkErrors(action: FormAction): FormAction {
  return async (previous, form) => {
    try {
      return await action(previous, form);
    } catch (error) {
      unstable_rethrow(error);
      const values = Object.fromEntries(
        [...form].filter((entry): entry is [string, string] => typeof entry[1] === "string"),
      );
      return {
        status: "refused",
        message: failureMessage(error),
        code: "unavailable",
        errors: {},
        values,
      };
    }
  };
}

const subscribeToNothing = () => () => {};

const FormContext = createContext<{ state: FormState; pending: boolean }>({
  state: INITIAL_FORM_STATE,
  pending: false,
});

/** The state of the form around: for what shows more of it than the parts below do. */
export function useActionForm(): { state: FormState; pending: boolean } {
  return use(FormContext);
}

/**
 * `action` is a server action made by formAction. `loginNext` is where "Log in" leads back to when the session has ended meanwhile.
 * The message of the form stands at its end unless a <FormMessage> is among the children and `ownMessage` is set.
 */
export function ActionForm({
  action,
  children,
  loginNext,
  ownMessage = false,
  ...rest
}: Omit<ComponentProps<"form">, "action"> & {
  action: FormAction;
  loginNext?: string;
  ownMessage?: boolean;
}) {
  // The action itself until React is awake: only that one works without JavaScript.
  const isAwake = useSyncExternalStore(
    subscribeToNothing,
    () => true,
    () => false,
  );
  const [state, run, pending] = useActionState(
    isAwake ? catchNetworkErrors(action) : action,
    INITIAL_FORM_STATE,
  );
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (state.status !== "refused") return;
    const wrong =
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]') ??
      form.current?.querySelector<HTMLElement>("[data-form-message]");
    wrong?.focus();
  }, [state]);
  return (
    <FormContext value={{ state, pending }}>
      <form ref={form} action={run} aria-busy={pending} {...rest}>
        {children}
        {!ownMessage && <FormMessage loginNext={loginNext} />}
      </form>
    </FormContext>
  );
}

/** What was done or why nothing was; announced to screen readers. */
export function FormMessage({ loginNext }: { loginNext?: string }) {
  const { state } = useActionForm();
  if (state.message === null) return <div role="status" />;
  return (
    <div
      role={state.status === "refused" ? "alert" : "status"}
      className={`form-message form-message-${state.status}`}
      data-form-message=""
      tabIndex={-1}
    >
      <p>
        {state.message}
        {state.code === "unauthorized" && (
          <>
            {" "}
            <a href={`/login${loginNext ? `?next=${encodeURIComponent(loginNext)}` : ""}`}>
              Log in
            </a>
          </>
        )}
      </p>
    </div>
  );
}

interface FieldProps {
  name: string;
  label: ReactNode;
  hint?: ReactNode;
}

/** The id, the value to stand in the field and the attributes that tie hint and error to it. */
function useField(
  name: string,
  hint: ReactNode,
  given: string | number | readonly string[] | undefined,
) {
  const { state } = useActionForm();
  const id = useId();
  const error = state.errors[name];
  const described =
    [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  return {
    id,
    error,
    value: state.values[name] ?? given,
    aria: { "aria-invalid": error ? true : undefined, "aria-describedby": described },
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
  error: string | undefined;
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
        <p className="form-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

/** A field of one line, with its label, hint and error. */
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

/** A field of several lines. */
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

/** One of some, as a list that opens. */
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
      {/* A select does not follow a new default by itself. */}
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

/** Sends the form; says so while it is on its way. `kind`: main for the one thing a page is for, danger for what can't be undone. */
export function SubmitButton({
  children,
  kind = "main",
  ...rest
}: Omit<ComponentProps<"button">, "type"> & { kind?: "main" | "plain" | "danger" | "quiet" }) {
  const { pending } = useActionForm();
  const look = {
    main: "button button-main",
    plain: "button",
    danger: "button button-danger",
    quiet: "button button-plain",
  }[kind];
  return (
    // Not disabled while it is sent: a disabled button loses the focus. A second press of the same form changes nothing.
    <button type="submit" className={look} aria-disabled={pending || undefined} {...rest}>
      {children}
    </button>
  );
}

/** A form that is only a button: what it is about stands in `fields`. */
export function ActionButton({
  action,
  fields = {},
  children,
  kind = "plain",
  loginNext,
}: {
  action: FormAction;
  fields?: Record<string, string>;
  children: ReactNode;
  kind?: "main" | "plain" | "danger" | "quiet";
  loginNext?: string;
}) {
  return (
    <ActionForm action={action} loginNext={loginNext} className="form-button">
      {Object.entries(fields).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      <SubmitButton kind={kind}>{children}</SubmitButton>
    </ActionForm>
  );
}
