// A passkey of the site under attack, and answers signed with it, right or wrong in one thing.

import type Database from "better-sqlite3";
import { createVirtualAuthenticator } from "#tests/support/virtual-authenticator.ts";
import { HOST, ORIGIN } from "./attack-server.ts";

interface AssertionOverrides {
  readonly challenge: string;
  readonly origin?: string;
  readonly rpId?: string;
  readonly type?: string;
  readonly counter?: number;
  /** Bit 0: somebody was there. */
  readonly flags?: number;
  /** Whose it says it is; its member's unless given. */
  readonly userId?: string;
  /** Changes the signature after it was made. */
  readonly tamperSignature?: (signature: Buffer) => Buffer;
}

export interface Passkey {
  readonly id: string;
  /** The body that logs in, as a browser sends it. */
  signAssertion(claims: AssertionOverrides): {
    answer: Record<string, unknown> & { response: Record<string, string> };
  };
}

/** A passkey of the member, stored as the site stores one. */
export function insertPasskey(db: Database.Database, memberId: string, counter = 5): Passkey {
  const device = createVirtualAuthenticator();
  db.prepare(
    `INSERT INTO "Passkey" ("id", "userId", "publicKey", "counter", "transports", "name", "createdAt") VALUES (?, ?, ?, ?, 'internal', 'A key', ?)`,
  ).run(device.id, memberId, device.publicKey, counter, Date.now());
  return {
    id: device.id,
    signAssertion({
      challenge,
      origin = ORIGIN,
      rpId = HOST,
      counter: shown = counter + 1,
      userId = memberId,
      tamperSignature = (signature) => signature,
      ...odd
    }) {
      const given = device.logIn(challenge, { origin, host: rpId, counter: shown, userId, ...odd });
      const signature = tamperSignature(
        Buffer.from(given.response.signature, "base64url"),
      ).toString("base64url");
      return { answer: { ...given, response: { ...given.response, signature } } };
    },
  };
}

/** The body that adds a new passkey, as a browser sends it. */
export function makePasskeyRegistration(
  challenge: string,
  odd: { origin?: string; host?: string; type?: string; flags?: number } = {},
): { answer: unknown; name: string } {
  return {
    answer: createVirtualAuthenticator().register(challenge, {
      origin: ORIGIN,
      host: HOST,
      ...odd,
    }),
    name: "Mallory's",
  };
}
