"use client";
// "Log in with a passkey": shown where the browser can, which it says only to a script.

import {
  startAuthentication,
  type PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/browser";
import { postJson, useSupportsPasskeys, usePasskeyCeremony } from "./use-passkey-ceremony.ts";
import { PasskeyIcon } from "./passkey-icon.tsx";

/** A button that logs in with any passkey of this site and goes on to `next`, a path of ours. Nothing where there are no passkeys. */
export function PasskeyLoginButton({ next }: { next: string }) {
  const { isBusy, error, run } = usePasskeyCeremony();
  if (!useSupportsPasskeys()) return null;

  async function logIn() {
    const optionsJSON = await postJson<PublicKeyCredentialRequestOptionsJSON>(
      "/login/passkey/options",
      {},
    );
    const answer = await startAuthentication({ optionsJSON });
    const done = await postJson<{ next: string }>("/login/passkey/verify", { answer, next });
    // A whole new page: everything on it may differ for a member.
    window.location.assign(done.next);
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
        {isBusy ? "Waiting for your passkey …" : "Log in with a passkey"}
      </button>
      <div role="alert">{error && <p className="form-error">{error.message}</p>}</div>
    </div>
  );
}
