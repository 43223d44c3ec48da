"use client";
// The browser's side of a passkey's ceremony: ask the site, ask the person, tell the site.

import { browserSupportsWebAuthn } from "@simplewebauthn/browser";
import { useState, useSyncExternalStore } from "react";

/** What went wrong, in words for the person. `code` is the site's, or "cancelled" when they closed the browser's question. */
class CeremonyError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const REQUEST_TIMEOUT_MS = 20_000;

/** POSTs `body` as JSON. Throws a CeremonyError with the site's own words when it refuses, with ours when it can't be reached. */
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
    throw new CeremonyError(
      "unavailable",
      "The site can't be reached just now. Try again in a moment.",
    );
  }
  if (!response.ok)
    throw new CeremonyError(
      json.code ?? "unavailable",
      json.message ?? "The site could not answer. Try again in a moment.",
    );
  return json as T;
}

/** What to say of an error of the browser's own: they closed its question, the device is known already, or something else. */
function toCeremonyError(error: unknown): CeremonyError {
  if (error instanceof CeremonyError) return error;
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "AbortError")
    return new CeremonyError("cancelled", "No passkey was chosen. Try again when you are ready.");
  if (name === "InvalidStateError")
    return new CeremonyError("conflict", "This device holds a passkey of yours already.");
  return new CeremonyError(
    "unavailable",
    "The browser could not do this. Use another device, or log in by mail.",
  );
}

const subscribeToNothing = () => () => {};

/** Whether this browser knows passkeys; false on the server and until the page is awake. */
export function useSupportsPasskeys(): boolean {
  return useSyncExternalStore(subscribeToNothing, browserSupportsWebAuthn, () => false);
}

export interface CeremonyState {
  readonly isBusy: boolean;
  /** Why nothing was done; null before and after. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** Runs one ceremony at a time and remembers how it went. One whose promise never settles keeps it busy: the page goes on. */
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
