"use client";
// Wraps a form of a server action: works without JavaScript, keeps the input, shows errors next to their fields.

import { unstable_isUnrecognizedActionError, unstable_rethrow } from "next/navigation";
import {
  createContext,
  use,
  useActionState,
  useEffect,
  useEffectEvent,
  useRef,
  useState,
  type ComponentProps,
} from "react";
import { useElsewhere } from "./use-elsewhere.ts";
import { useIsHydrated } from "./use-is-hydrated.ts";
import { type FormState, INITIAL_FORM_STATE } from "#lib/http/form-state.ts";

export type FormAction = (previous: FormState, form: FormData) => Promise<FormState>;

function failureMessage(error: unknown, hasFields: boolean): string {
  if (unstable_isUnrecognizedActionError(error))
    return `The site was updated. ${hasFields ? "Copy your text and reload" : "Reload"} the page.`;
  const { digest } = error as { digest?: unknown };
  const textNote = hasFields ? " Your text is still here." : "";
  if (typeof digest === "string")
    return `Something went wrong on our side (ref ${digest}).${textNote}`;
  return navigator.onLine
    ? `No response from the server.${textNote} Please try again.`
    : `You’re offline.${textNote} Try again when you’re back online.`;
}

/** Turns network errors into form state; otherwise Next would show the error boundary and lose the input. */
function catchNetworkErrors(action: FormAction, fieldNames: ReadonlySet<string>): FormAction {
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
        message: failureMessage(error, fieldNames.size > 0),
        code: "unavailable",
        errors: {},
        values,
      };
    }
  };
}

interface FormContextValue {
  readonly state: FormState;
  readonly pending: boolean;
  /** Names of the fields above the message, which show their own errors. */
  readonly fieldNames: Set<string>;
}

const FormContext = createContext<FormContextValue>({
  state: INITIAL_FORM_STATE,
  pending: false,
  fieldNames: new Set(),
});

/** Returns the state of the enclosing form. */
export function useActionForm(): FormContextValue {
  return use(FormContext);
}

/** Returns whether the error next to the field `name` says all that the message of `state` says. */
export function isOnlyError({ code, message, errors }: FormState, name: string): boolean {
  if (errors[name] === undefined || Object.keys(errors).length > 1) return false;
  return errors[name] === message || code === "invalid";
}

/**
 * `action` is a server action from defineServerAction; `loginNext` is where its "Log in" link returns to.
 * Shows the message at the end, unless `ownMessage` is set and the children contain a <FormMessage>.
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
  // Before hydration, uses the action itself, since only that works without JavaScript.
  const isHydrated = useIsHydrated();
  const [fieldNames] = useState(() => new Set<string>());
  const [state, run, pending] = useActionState(
    isHydrated ? catchNetworkErrors(action, fieldNames) : action,
    INITIAL_FORM_STATE,
  );
  const form = useRef<HTMLFormElement>(null);
  const [replaced, setReplaced] = useState<FormState | null>(null);
  useElsewhere(form, () => setReplaced(state));
  useEffect(() => {
    if (state.status !== "refused") return;
    const target =
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]') ??
      form.current?.querySelector<HTMLElement>("[data-form-message]");
    target?.focus();
  }, [state]);
  const onReset = useEffectEvent((event: Event) => {
    if (state.status === "refused" && form.current?.querySelector("[type=file]"))
      event.preventDefault();
  });
  useEffect(() => {
    // React resets the form after its action, which would clear the chosen file.
    const element = form.current;
    const listener = (event: Event) => onReset(event);
    element?.addEventListener("reset", listener);
    return () => element?.removeEventListener("reset", listener);
  }, []);
  const shown = state.status === "done" && state === replaced ? INITIAL_FORM_STATE : state;
  return (
    <FormContext value={{ state: shown, pending, fieldNames }}>
      <form
        ref={form}
        action={run}
        aria-busy={pending}
        {...rest}
        // React would send the second submission of a double click after the first.
        onSubmit={(event) => pending && event.preventDefault()}
      >
        {children}
        {!ownMessage && <FormMessage loginNext={loginNext} />}
      </form>
    </FormContext>
  );
}

/** Shows the result of the form, and announces it to screen readers. */
export function FormMessage({ loginNext }: { loginNext?: string }) {
  const { state, fieldNames } = useActionForm();
  if (state.message === null || [...fieldNames].some((name) => isOnlyError(state, name)))
    return <div role="status" />;
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
            {/* In a new tab, because following the link here would lose what the fields hold. */}
            <a
              href={`/login${loginNext ? `?next=${encodeURIComponent(loginNext)}` : ""}`}
              target={fieldNames.size > 0 ? "_blank" : undefined}
            >
              {fieldNames.size > 0 ? "Log in (opens a new tab)" : "Log in"}
            </a>
          </>
        )}
      </p>
    </div>
  );
}
