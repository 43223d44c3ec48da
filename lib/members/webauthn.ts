// Creates WebAuthn options for browsers and verifies their responses, with @simplewebauthn/server.

import {
  type AuthenticationResponseJSON,
  type RegistrationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import {
  decodeAttestationObject,
  isoBase64URL,
  isoUint8Array,
} from "@simplewebauthn/server/helpers";
import { z } from "zod";
import { AppError } from "#lib/core/errors.ts";
import { nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import type { Ceremony } from "./webauthn-challenge.ts";
import type { Passkey } from "./passkeys.ts";

const TRANSPORTS = ["ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"] as const;
/** COSE IDs of EdDSA, ES256 and RS256. Every authenticator supports at least one. */
const ALGORITHMS = [-8, -7, -257];

const base64url = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[\w-]+$/);
/** A credential ID has at most 1,023 bytes (WebAuthn, section 4): 1,364 base64url characters. */
const credentialIdField = base64url(1_364);
const credentialFields = {
  id: credentialIdField,
  rawId: credentialIdField,
  type: z.literal("public-key"),
  authenticatorAttachment: z.enum(["cross-platform", "platform"]).optional().catch(undefined),
};

/** The response of navigator.credentials.get(), without the unused parts. */
export const AuthenticationResponse = z.object({
  ...credentialFields,
  response: z.object({
    clientDataJSON: base64url(8_000),
    authenticatorData: base64url(8_000),
    signature: base64url(4_000),
    userHandle: base64url(200).nullish(),
  }),
});

/** The response of navigator.credentials.create(). */
export const RegistrationResponse = z.object({
  ...credentialFields,
  response: z.object({
    clientDataJSON: base64url(8_000),
    attestationObject: base64url(16_000),
    // Accept unknown transports, since new ones may be added to the standard.
    transports: z
      .array(z.enum(TRANSPORTS).or(z.string().max(40)))
      .max(10)
      .optional(),
  }),
});

// Passkeys are bound to the host; responses are accepted only from this site's origin.
const getRelyingParty = () => ({
  origin: new URL(env.SITE_URL).origin,
  host: new URL(env.SITE_URL).hostname,
});

const isTransport = (name: string): name is (typeof TRANSPORTS)[number] =>
  (TRANSPORTS as readonly string[]).includes(name);

/**
 * Returns the options for registering a discoverable passkey. The browser refuses authenticators
 * that have one of `excludedCredentials`. `timeout` is how long the challenge is valid.
 */
export function createRegistrationOptions({
  challenge,
  expiresAtMs,
  member,
  excludedCredentials,
}: Pick<Ceremony, "challenge" | "expiresAtMs"> & {
  member: { id: string; email: string; firstName: string };
  excludedCredentials: readonly Pick<Passkey, "id" | "transports">[];
}) {
  return generateRegistrationOptions({
    rpName: siteConfig.name,
    rpID: getRelyingParty().host,
    userID: isoUint8Array.fromUTF8String(member.id),
    userName: member.email,
    userDisplayName: member.firstName,
    challenge: isoBase64URL.toBuffer(challenge),
    timeout: expiresAtMs - nowMs(),
    attestationType: "none",
    excludeCredentials: excludedCredentials.map(({ id, transports }) => ({
      id,
      transports: transports.split(",").filter(isTransport),
    })),
    authenticatorSelection: { residentKey: "required", userVerification: "preferred" },
    supportedAlgorithmIDs: ALGORITHMS,
  });
}

/**
 * Returns the options to log in with any passkey of this site. They are valid until the `timeout`.
 */
export function createAuthenticationOptions({
  challenge,
  expiresAtMs,
}: Pick<Ceremony, "challenge" | "expiresAtMs">) {
  return generateAuthenticationOptions({
    rpID: getRelyingParty().host,
    challenge: isoBase64URL.toBuffer(challenge),
    timeout: expiresAtMs - nowMs(),
    userVerification: "preferred",
    allowCredentials: [],
  });
}

/**
 * Returns the new passkey. Throws AppError(invalid) unless the response is valid for this challenge
 * and site.
 */
export async function verifyRegistration(
  response: z.output<typeof RegistrationResponse>,
  { challenge, userId }: { challenge: string; userId: string },
): Promise<Passkey> {
  const { origin, host } = getRelyingParty();
  const verified = await returnNullOnError(async () => {
    // SSRF protection: the library would fetch URLs from an attestation's certificates. The site
    // requests no attestation.
    const attestation = decodeAttestationObject(
      isoBase64URL.toBuffer(response.response.attestationObject),
    );
    const format = attestation.get("fmt");
    if (
      format !== "none" &&
      !(format === "packed" && attestation.get("attStmt").get("x5c") === undefined)
    )
      return null;
    return verifyRegistrationResponse({
      response: { ...response, clientExtensionResults: {} } as RegistrationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: host,
      requireUserVerification: false,
      supportedAlgorithmIDs: ALGORITHMS,
    });
  });
  const credential = verified?.registrationInfo?.credential;
  if (!verified?.verified || !credential || credential.id !== response.id)
    throw new AppError(
      "invalid",
      "We couldn't verify this passkey. Try again or use another device.",
    );
  return {
    id: credential.id,
    userId,
    publicKey: credential.publicKey,
    counter: credential.counter,
    transports: (response.response.transports ?? []).filter(isTransport).join(","),
  };
}

/**
 * Returns the passkey's new counter. Throws AppError(unauthorized) unless `passkey` signed the
 * response for this challenge and site, and its counter increased: otherwise the authenticator may
 * be cloned.
 */
export async function verifyAuthentication(
  response: z.output<typeof AuthenticationResponse>,
  { challenge, passkey }: { challenge: string; passkey: Passkey },
): Promise<number> {
  const { origin, host } = getRelyingParty();
  const { userHandle } = response.response;
  const verified = await returnNullOnError(async () => {
    if (userHandle && isoBase64URL.toUTF8String(userHandle) !== passkey.userId) return null;
    return verifyAuthenticationResponse({
      response: { ...response, clientExtensionResults: {} } as AuthenticationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: host,
      requireUserVerification: false,
      credential: {
        id: passkey.id,
        publicKey: passkey.publicKey,
        counter: passkey.counter,
      },
    });
  });
  if (!verified?.verified)
    throw new AppError("unauthorized", "We couldn't verify this passkey. Log in by email instead.");
  return verified.authenticationInfo.newCounter;
}

/** Returns null if `verify` throws, because the library throws plain errors for malformed input. */
async function returnNullOnError<T>(verify: () => Promise<T>): Promise<T | null> {
  try {
    return await verify();
    // oxlint-disable-next-line lectern/no-swallowed-replay -- only computes
  } catch {
    return null;
  }
}
