// Implements a WebAuthn authenticator (ES256) that creates and uses passkeys like a browser.

import { createHash, createSign, generateKeyPairSync, randomBytes } from "node:crypto";
import { isoCBOR } from "@simplewebauthn/server/helpers";

const SITE = { origin: "http://localhost:3000", host: "localhost" };
const base64url = (bytes: Uint8Array | string) => Buffer.from(bytes).toString("base64url");
const sha256 = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest();

interface CeremonyOverrides {
  origin?: string;
  host?: string;
  type?: string;
  counter?: number;
  /** User present and verified by default. */
  flags?: number;
}

/** Returns a new passkey. `register` and `logIn` return a browser's response to the challenge. */
export function createVirtualAuthenticator() {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x, y } = publicKey.export({ format: "jwk" }) as { x: string; y: string };
  const id = randomBytes(32);
  const cose = isoCBOR.encode(
    new Map<number, number | Uint8Array>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, new Uint8Array(Buffer.from(x, "base64url"))],
      [-3, new Uint8Array(Buffer.from(y, "base64url"))],
    ]),
  );
  const counterBytes = (counter: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(counter);
    return bytes;
  };
  const clientData = (type: string, challenge: string, origin: string) =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  const common = { id: base64url(id), rawId: base64url(id), type: "public-key" as const };

  return {
    id: common.id,
    /** In COSE format (RFC 9053), as the site stores it. */
    publicKey: Buffer.from(cose),
    register(
      challenge: string,
      {
        origin = SITE.origin,
        host = SITE.host,
        type = "webauthn.create",
        counter = 0,
        flags = 0x45,
        format = "none",
        statement = new Map<string, unknown>(),
      }: CeremonyOverrides & { format?: string; statement?: Map<string, unknown> } = {},
    ) {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(id.length);
      const authData = new Uint8Array(
        Buffer.concat([
          sha256(host),
          Buffer.from([flags]),
          counterBytes(counter),
          Buffer.alloc(16),
          length,
          id,
          cose,
        ]),
      );
      const attestation = isoCBOR.encode(
        new Map<string, unknown>([
          ["fmt", format],
          ["attStmt", statement],
          ["authData", authData],
        ]) as Parameters<typeof isoCBOR.encode>[0],
      );
      return {
        ...common,
        response: {
          clientDataJSON: base64url(clientData(type, challenge, origin)),
          attestationObject: base64url(attestation),
          transports: ["internal"],
        },
      };
    },
    logIn(
      challenge: string,
      {
        origin = SITE.origin,
        host = SITE.host,
        type = "webauthn.get",
        counter = 0,
        flags = 0x05,
        userId,
      }: CeremonyOverrides & { userId?: string } = {},
    ) {
      const authData = Buffer.concat([sha256(host), Buffer.from([flags]), counterBytes(counter)]);
      const data = clientData(type, challenge, origin);
      const signature = createSign("sha256")
        .update(Buffer.concat([authData, sha256(data)]))
        .sign(privateKey);
      return {
        ...common,
        response: {
          clientDataJSON: base64url(data),
          authenticatorData: base64url(authData),
          signature: base64url(signature),
          ...(userId !== undefined && { userHandle: base64url(userId) }),
        },
      };
    },
  };
}
