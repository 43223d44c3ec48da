"use client";
// "Add a passkey": shown where the browser can, which it says only to a script.

import {
  startRegistration,
  type PublicKeyCredentialCreationOptionsJSON,
} from "@simplewebauthn/browser";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { postJson, useSupportsPasskeys, usePasskeyCeremony } from "./use-passkey-ceremony.ts";
import { PasskeyIcon } from "./passkey-icon.tsx";

/** Adds a passkey of the member who is logged in and shows the list anew. `loginNext`: where to come back to after a new log-in. */
export function AddPasskeyButton({ loginNext }: { loginNext: string }) {
  const router = useRouter();
  const { isBusy, error, run } = usePasskeyCeremony();
  const [added, setAdded] = useState<string | null>(null);
  if (!useSupportsPasskeys())
    return (
      <p className="muted me-note">This browser can’t make passkeys, or its scripts are off.</p>
    );

  async function add() {
    setAdded(null);
    const optionsJSON = await postJson<PublicKeyCredentialCreationOptionsJSON>(
      "/me/passkeys/options",
      {},
    );
    const answer = await startRegistration({ optionsJSON });
    const { name } = await postJson<{ name: string }>("/me/passkeys/verify", { answer });
    setAdded(name);
    router.refresh();
  }

  return (
    <div className="passkey-login">
      <button
        type="button"
        className="button"
        onClick={() => run(add)}
        aria-disabled={isBusy || undefined}
      >
        <PasskeyIcon />
        {isBusy ? "Waiting for your passkey …" : "Add a passkey"}
      </button>
      <div role="status">
        {added && <p className="form-message">Added as “{added}”. Next time, log in with it.</p>}
      </div>
      <div role="alert">
        {error && (
          <p className="form-error">
            {error.message}{" "}
            {error.code === "unauthorized" && (
              <a href={`/login?next=${encodeURIComponent(loginNext)}`}>Log in again</a>
            )}
          </p>
        )}
      </div>
    </div>
  );
}
