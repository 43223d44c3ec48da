"use client";
// Renders "Add a passkey" where the browser supports passkeys.

import {
  startRegistration,
  type PublicKeyCredentialCreationOptionsJSON,
} from "@simplewebauthn/browser";
import { useRouter } from "next/navigation";
import { useRef, useState } from "react";
import {
  postJson,
  usePasskeyCeremony,
  usePasskeyOptions,
  useSupportsPasskeys,
} from "./use-passkey-ceremony.ts";
import { useElsewhere } from "#components/ui/use-elsewhere.ts";
import { useIsHydrated } from "#components/ui/use-is-hydrated.ts";
import { PasskeyIcon } from "#components/ui/icons.tsx";

/**
 * Adds a passkey for the logged-in member and refreshes the list. `loginNext` is the page to return
 * to after logging in again; `passkeyIds` changes with the list.
 */
export function AddPasskeyButton({
  loginNext,
  passkeyIds,
}: {
  loginNext: string;
  passkeyIds: string;
}) {
  const router = useRouter();
  const { isBusy, error, run } = usePasskeyCeremony();
  const withOptions = usePasskeyOptions<PublicKeyCredentialCreationOptionsJSON>(
    "/me/passkeys/options",
    { isBusy, version: passkeyIds },
  );
  const [added, setAdded] = useState<string | null>(null);
  const root = useRef<HTMLDivElement>(null);
  useElsewhere(root, () => setAdded(null));
  const isHydrated = useIsHydrated();
  const isSupported = useSupportsPasskeys();
  if (!isHydrated)
    return <p className="muted me-note without-script">Adding a passkey needs JavaScript.</p>;
  if (!isSupported) return <p className="muted me-note">Your browser doesn’t support passkeys.</p>;

  async function add() {
    setAdded(null);
    const response = await withOptions((optionsJSON) => startRegistration({ optionsJSON }));
    const { name } = await postJson<{ name: string }>("/me/passkeys/verify", { response });
    setAdded(name);
    router.refresh();
  }

  return (
    <div className="passkey-login" ref={root}>
      <button
        type="button"
        className="button"
        onClick={() => run(add)}
        aria-disabled={isBusy || undefined}
      >
        <PasskeyIcon />
        {isBusy ? "Waiting for your passkey…" : "Add a passkey"}
      </button>
      <div role="status">
        {added && (
          <p className="form-message">Passkey added as “{added}”. Use it next time you log in.</p>
        )}
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
