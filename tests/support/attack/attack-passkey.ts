// Makes passkeys for the site under attack, and assertions signed with them, valid or with one
// invalid property.

import type Database from "better-sqlite3";
import { insertPasskey } from "#tests/support/factories.ts";
import { createVirtualAuthenticator } from "#tests/support/virtual-authenticator.ts";
import { createSql } from "#lib/db/connection.ts";
import { HOST, ORIGIN } from "./attack-server.ts";

interface AssertionOverrides {
  readonly challenge: string;
  readonly origin?: string;
  readonly rpId?: string;
  readonly type?: string;
  readonly counter?: number;
  /** Bit 0: user present. */
  readonly flags?: number;
  /** The user handle; the passkey's member by default. */
  readonly userId?: string;
  /** Changes the signature after signing. */
  readonly tamperSignature?: (signature: Buffer) => Buffer;
}

export interface Passkey {
  readonly id: string;
  /** Returns the request body for a login, like a browser's. */
  signAssertion(overrides: AssertionOverrides): {
    response: Record<string, unknown> & { response: Record<string, string> };
  };
}

/** Inserts a passkey of the member and returns the authenticator that holds its key. */
export function registerPasskey(db: Database.Database, userId: string, counter = 5): Passkey {
  const authenticator = createVirtualAuthenticator();
  const { id, publicKey } = authenticator;
  insertPasskey(createSql(db), { id, userId, publicKey, counter });
  return {
    id,
    signAssertion({
      challenge,
      origin = ORIGIN,
      rpId = HOST,
      tamperSignature = (signature) => signature,
      ...overrides
    }) {
      const assertion = authenticator.logIn(challenge, {
        origin,
        host: rpId,
        counter: counter + 1,
        userId,
        ...overrides,
      });
      const signature = tamperSignature(
        Buffer.from(assertion.response.signature, "base64url"),
      ).toString("base64url");
      return { response: { ...assertion, response: { ...assertion.response, signature } } };
    },
  };
}

/** Returns the request body that adds a new passkey, like a browser's. */
export function makePasskeyRegistration(
  challenge: string,
  overrides: { origin?: string; host?: string; type?: string; flags?: number } = {},
): { response: unknown; name: string } {
  return {
    response: createVirtualAuthenticator().register(challenge, {
      origin: ORIGIN,
      host: HOST,
      ...overrides,
    }),
    name: "Mallory's",
  };
}
