// A passkey without a device: a key pair, and answers signed with it, right or wrong in one thing.

import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type Database from "better-sqlite3";
import { HOST, ORIGIN } from "./server.ts";

const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest();

export interface Claims {
  challenge: string;
  origin: string;
  rpId: string;
  type: string;
  counter: number;
  /** Bit 0: somebody was there. */
  flags: number;
  userHandle: string | undefined;
  /** Changes the signature after it was made. */
  spoil: (signature: Buffer) => Buffer;
}

export interface Authenticator {
  readonly id: string;
  /** The body that logs in, as a browser sends it. */
  answer(claims: Partial<Claims> & { challenge: string }): { answer: Record<string, unknown> };
}

/** A passkey of the member, stored as the site stores one. */
export function insertPasskey(db: Database.Database, userId: string, counter = 5): Authenticator {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x, y } = publicKey.export({ format: "jwk" }) as { x: string; y: string };
  // COSE (RFC 9053): an elliptic key, ES256, P-256.
  const cose = Buffer.concat([Buffer.from("a5010203262001215820", "hex"), Buffer.from(x, "base64url"), Buffer.from("225820", "hex"), Buffer.from(y, "base64url")]);
  const id = randomBytes(24).toString("base64url");
  db.prepare(`INSERT INTO "Passkey" ("id", "userId", "publicKey", "counter", "transports", "name", "createdAt") VALUES (?, ?, ?, ?, 'internal', 'A key', ?)`).run(id, userId, cose, counter, Date.now());
  return {
    id,
    answer({ challenge, origin = ORIGIN, rpId = HOST, type = "webauthn.get", counter: shown = counter + 1, flags = 0x05, userHandle = Buffer.from(userId).toString("base64url"), spoil = (signature) => signature }) {
      const clientData = Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
      const count = Buffer.alloc(4);
      count.writeUInt32BE(shown);
      const authenticatorData = Buffer.concat([sha256(rpId), Buffer.from([flags]), count]);
      const signature = spoil(sign("sha256", Buffer.concat([authenticatorData, sha256(clientData)]), privateKey));
      return {
        answer: {
          id,
          rawId: id,
          type: "public-key",
          response: { clientDataJSON: clientData.toString("base64url"), authenticatorData: authenticatorData.toString("base64url"), signature: signature.toString("base64url"), ...(userHandle && { userHandle }) },
        },
      };
    },
  };
}
