// What browsers are asked for and send in a WebAuthn ceremony. The cryptography is @simplewebauthn/server's.

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
import { env } from "#lib/core/env.ts";
import { CEREMONY_TTL_MS } from "./webauthn-challenge.ts";
import type { Passkey } from "./passkeys.ts";

const TRANSPORTS = ["ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"] as const;
/** EdDSA, ES256, RS256: what every authenticator and our Node know (COSE). */
const ALGORITHMS = [-8, -7, -257];

const base64url = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[\w-]+$/);
/** A credential's id has at most 1,023 bytes (WebAuthn, 4). */
const credentialIdField = base64url(1_364);
const credentialFields = {
  id: credentialIdField,
  rawId: credentialIdField,
  type: z.literal("public-key"),
  authenticatorAttachment: z.enum(["cross-platform", "platform"]).optional().catch(undefined),
};

/** A browser's answer that logs in. What we don't use is dropped. */
export const AuthenticationResponse = z.object({
  ...credentialFields,
  response: z.object({
    clientDataJSON: base64url(8_000),
    authenticatorData: base64url(8_000),
    signature: base64url(4_000),
    userHandle: base64url(200).nullish(),
  }),
});

/** A browser's answer that adds a passkey. */
export const RegistrationResponse = z.object({
  ...credentialFields,
  response: z.object({
    clientDataJSON: base64url(8_000),
    attestationObject: base64url(16_000),
    // One that we don't know yet is no reason to refuse a passkey.
    transports: z
      .array(z.enum(TRANSPORTS).or(z.string().max(40)))
      .max(10)
      .optional(),
  }),
});

// Passkeys belong to a host, and only answers from our own pages count.
const getRelyingParty = () => ({
  origin: new URL(env.SITE_URL).origin,
  host: new URL(env.SITE_URL).hostname,
});

const isTransport = (name: string): name is (typeof TRANSPORTS)[number] =>
  (TRANSPORTS as readonly string[]).includes(name);

/** What the browser is asked for to add a passkey: one that it finds again without an address. `known` it refuses to add twice. */
export function createRegistrationOptions({
  challenge,
  member,
  known,
}: {
  challenge: string;
  member: { id: string; email: string; firstName: string };
  known: readonly Pick<Passkey, "id" | "transports">[];
}) {
  return generateRegistrationOptions({
    rpName: env.SITE_NAME,
    rpID: getRelyingParty().host,
    userID: isoUint8Array.fromUTF8String(member.id),
    userName: member.email,
    userDisplayName: member.firstName,
    challenge: isoBase64URL.toBuffer(challenge),
    timeout: CEREMONY_TTL_MS,
    attestationType: "none",
    excludeCredentials: known.map(({ id, transports }) => ({
      id,
      transports: transports.split(",").filter(isTransport),
    })),
    authenticatorSelection: { residentKey: "required", userVerification: "preferred" },
    supportedAlgorithmIDs: ALGORITHMS,
  });
}

/** What the browser is asked for to log in: any passkey of this site. */
export function createAuthenticationOptions(challenge: string) {
  return generateAuthenticationOptions({
    rpID: getRelyingParty().host,
    challenge: isoBase64URL.toBuffer(challenge),
    timeout: CEREMONY_TTL_MS,
    userVerification: "preferred",
    allowCredentials: [],
  });
}

/** The passkey in the answer. Throws AppError(invalid) unless it is for this challenge, this site, and whole. */
export async function verifyRegistration(
  answer: z.output<typeof RegistrationResponse>,
  { challenge, userId }: { challenge: string; userId: string },
): Promise<Passkey> {
  const { origin, host } = getRelyingParty();
  const verified = await returnNullOnError(async () => {
    // We ask for no attestation. One with certificates would have the library fetch the addresses that stand in them.
    const attestation = decodeAttestationObject(
      isoBase64URL.toBuffer(answer.response.attestationObject),
    );
    const format = attestation.get("fmt");
    if (
      format !== "none" &&
      !(format === "packed" && attestation.get("attStmt").get("x5c") === undefined)
    )
      return null;
    return verifyRegistrationResponse({
      response: { ...answer, clientExtensionResults: {} } as RegistrationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: host,
      requireUserVerification: false,
      supportedAlgorithmIDs: ALGORITHMS,
    });
  });
  const credential = verified?.registrationInfo?.credential;
  if (!verified?.verified || !credential || credential.id !== answer.id)
    throw new AppError(
      "invalid",
      "This passkey could not be verified. Try again, or use another device.",
    );
  return {
    id: credential.id,
    userId,
    publicKey: credential.publicKey,
    counter: credential.counter,
    transports: (answer.response.transports ?? []).filter(isTransport).join(","),
  };
}

/**
 * Whether the answer proves the passkey; returns its new counter. Throws AppError(unauthorized) unless it is signed by `passkey`
 * for this challenge and this site, and its counter, where it has one, went on: one that did not belongs to a copy.
 */
export async function verifyAuthentication(
  answer: z.output<typeof AuthenticationResponse>,
  { challenge, passkey }: { challenge: string; passkey: Passkey },
): Promise<number> {
  const { origin, host } = getRelyingParty();
  const { userHandle } = answer.response;
  const verified = await returnNullOnError(async () => {
    if (userHandle && isoBase64URL.toUTF8String(userHandle) !== passkey.userId) return null;
    return verifyAuthenticationResponse({
      response: { ...answer, clientExtensionResults: {} } as AuthenticationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: host,
      requireUserVerification: false,
      credential: {
        id: passkey.id,
        publicKey: new Uint8Array(passkey.publicKey),
        counter: passkey.counter,
      },
    });
  });
  if (!verified?.verified)
    throw new AppError(
      "unauthorized",
      "This passkey could not be verified. Log in by mail instead.",
    );
  return verified.authenticationInfo.newCounter;
}

/** The library throws plain errors for whatever is not right in what a stranger sent. */
async function returnNullOnError<T>(verify: () => Promise<T>): Promise<T | null> {
  try {
    return await verify();
  } catch {
    return null;
  }
}
