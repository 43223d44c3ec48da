"use client";
// Renders "Log in with a passkey" where the browser supports passkeys, and offers them in the email field's autofill
// (conditional UI).

import { useEffect } from "react";
import {
  type AuthenticationResponseJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  WebAuthnAbortService,
  browserSupportsWebAuthnAutofill,
  startAuthentication,
} from "@simplewebauthn/browser";
import {
  postJson,
  usePasskeyCeremony,
  usePasskeyOptions,
  useSupportsPasskeys,
} from "./use-passkey-ceremony.ts";
import { PasskeyIcon } from "#components/ui/icons.tsx";

/** Logs in with any passkey of this site and goes to `next`, a path of the site. Renders nothing without support. */
export function PasskeyLoginButton({ next }: { next: string }) {
  const { isBusy, error, run } = usePasskeyCeremony();
  const withOptions = usePasskeyOptions<PublicKeyCredentialRequestOptionsJSON>(
    "/login/passkey/options",
    { isBusy, onOptions: (optionsJSON) => void offerInAutofill(optionsJSON) },
  );
  useEffect(() => () => WebAuthnAbortService.cancelCeremony(), []);
  if (!useSupportsPasskeys()) return null;

  /** Waits until a passkey is chosen in the email field. The button, or newer options, end it. */
  async function offerInAutofill(optionsJSON: PublicKeyCredentialRequestOptionsJSON) {
    if (!(await browserSupportsWebAuthnAutofill())) return;
    const response = await startAuthentication({ optionsJSON, useBrowserAutofill: true }).catch(
      () => null,
    );
    if (response) run(() => verify(response));
  }

  async function logIn() {
    await verify(await withOptions((optionsJSON) => startAuthentication({ optionsJSON })));
  }

  async function verify(response: AuthenticationResponseJSON) {
    const result = await postJson<{ next: string }>("/login/passkey/verify", { response, next });
    // A full page load, since every part of the page may differ for a member.
    window.location.assign(result.next);
    return new Promise<never>(() => {});
  }

  return (
    <div className="passkey-login">
      <button
        type="button"
        className="button"
        onClick={() => run(logIn)}
        aria-disabled={isBusy || undefined}
      >
        <PasskeyIcon />
        {isBusy ? "Waiting for your passkey…" : "Log in with a passkey"}
      </button>
      <div role="alert">{error && <p className="form-error">{error.message}</p>}</div>
    </div>
  );
}
