"use client";
// Runs the browser's side of a WebAuthn ceremony and keeps its state.

import { browserSupportsWebAuthn } from "@simplewebauthn/browser";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { useIsHydrated } from "#components/ui/use-is-hydrated.ts";

/** An error to show. `code` is the server's, or "canceled" if the person closed the browser's dialog. */
class CeremonyError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const REQUEST_TIMEOUT_MS = 20_000;

/**
 * POSTs `body` as JSON and returns the response's JSON. Throws a CeremonyError if the server
 * refuses or can't be reached.
 */
export async function postJson<T>(path: string, body: unknown): Promise<T> {
  let response: Response;
  let json: { code?: string; message?: string };
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    json = (await response.json()) as typeof json;
  } catch {
    throw new CeremonyError("unavailable", "We can’t reach the server. Try again in a moment.");
  }
  if (!response.ok)
    throw new CeremonyError(
      json.code ?? "unavailable",
      json.message ?? "Something went wrong on our side. Try again in a moment.",
    );
  return json as T;
}

/** Translates the browser's DOMExceptions. */
function toCeremonyError(error: unknown): CeremonyError {
  if (error instanceof CeremonyError) return error;
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "AbortError")
    return new CeremonyError("canceled", "Passkey request canceled.");
  if (name === "InvalidStateError")
    return new CeremonyError("conflict", "You already have a passkey on this device.");
  return new CeremonyError(
    "unavailable",
    "Your browser couldn’t use a passkey. Log in by email instead.",
  );
}

/** Returns whether the browser supports passkeys; false on the server and until hydration. */
export function useSupportsPasskeys(): boolean {
  return useIsHydrated() && browserSupportsWebAuthn();
}

export interface CeremonyState {
  readonly isBusy: boolean;
  /** Why the last ceremony failed, or null. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** A click leaves the person this long to finish, so options that expire earlier are stale. */
const MIN_REMAINING_MS = 120_000;
const REFRESH_CHECK_MS = 30_000;

interface FetchedOptions<Options> {
  readonly promise: Promise<Options>;
  /** Set once the promise has resolved. */
  value?: Options;
  /** In performance.now() time. While the request runs, when to try again. */
  staleAtMs: number;
}

/** Fetches a ceremony's options; `timeout` says how long they are valid. */
function fetchOptions<Options extends { timeout?: number }>(path: string): FetchedOptions<Options> {
  const fetched: FetchedOptions<Options> = {
    promise: postJson<Options>(path, {}),
    staleAtMs: performance.now() + REQUEST_TIMEOUT_MS,
  };
  fetched.promise.then(
    (value) => {
      fetched.value = value;
      fetched.staleAtMs = performance.now() + (value.timeout ?? 0) - MIN_REMAINING_MS;
    },
    () => (fetched.staleAtMs = 0), // A click fetches again and shows the error.
  );
  return fetched;
}

/**
 * Runs one ceremony at a time. A promise that never settles keeps it busy, such as while the
 * browser leaves the page.
 */
export function usePasskeyCeremony(): CeremonyState & { run(ceremony: () => Promise<void>): void } {
  const [state, setState] = useState<CeremonyState>({ isBusy: false, error: null });
  return {
    ...state,
    run(ceremony) {
      if (state.isBusy) return;
      setState({ isBusy: true, error: null });
      ceremony().then(
        () => setState({ isBusy: false, error: null }),
        (error: unknown) => setState({ isBusy: false, error: toCeremonyError(error) }),
      );
    },
  };
}

/** Calls `start` with fresh options, without a delay if they have been fetched. */
type WithOptions<Options> = <T>(start: (options: Options) => Promise<T>) => Promise<T>;

/**
 * Fetches the options of the next ceremony before the click, because Safari refuses a passkey if
 * the click was too long ago. Fetches them while the page is visible and `isBusy` is false, and
 * again when `version` changes. `onOptions` gets each of these.
 */
export function usePasskeyOptions<Options extends { timeout?: number }>(
  path: string,
  {
    isBusy,
    version = "",
    onOptions,
  }: { isBusy: boolean; version?: string; onOptions?: (options: Options) => void },
): WithOptions<Options> {
  const isSupported = useSupportsPasskeys();
  const latest = useRef<FetchedOptions<Options> | null>(null);
  const announce = useEffectEvent((options: Options) => onOptions?.(options));

  useEffect(() => {
    if (!isSupported || isBusy) return;
    latest.current = null;
    let isCurrent = true;
    const refresh = () => {
      if (document.visibilityState !== "visible") return;
      if (latest.current && performance.now() < latest.current.staleAtMs) return;
      latest.current = fetchOptions<Options>(path);
      latest.current.promise.then(
        (options) => isCurrent && announce(options),
        () => {}, // A click fetches again and shows the error.
      );
    };
    refresh();
    document.addEventListener("visibilitychange", refresh);
    const timer = setInterval(refresh, REFRESH_CHECK_MS);
    return () => {
      isCurrent = false;
      document.removeEventListener("visibilitychange", refresh);
      clearInterval(timer);
    };
  }, [isSupported, isBusy, path, version]);

  return (start) => {
    if (!latest.current || performance.now() >= latest.current.staleAtMs)
      latest.current = fetchOptions<Options>(path);
    const { value, promise } = latest.current;
    return value === undefined ? promise.then(start) : start(value);
  };
}
