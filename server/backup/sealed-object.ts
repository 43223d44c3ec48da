// Compresses and encrypts everything that leaves this machine: Zstandard, then AES-256-GCM with a
// key per object, derived from BACKUP_KEY by HKDF (RFC 5869).

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** Thrown if an object can't be read: a wrong key, or damage. */
export class SealedObjectError extends Error {}

export interface Sealer {
  /** Returns the encrypted object. It can be opened only under the same `name`. */
  seal(name: string, content: Buffer): Buffer;
  /** Returns the content. Throws SealedObjectError. */
  open(name: string, object: Buffer): Buffer;
}

const MAGIC = Buffer.from("LBK1", "latin1");
const KEY_ID_BYTES = 8;
const SALT_BYTES = 16;
const TAG_BYTES = 16;
const HEAD_BYTES = MAGIC.length + KEY_ID_BYTES + SALT_BYTES;
/** Each object has its own key, so a nonce is never reused with the same key. */
const NONCE = Buffer.alloc(12);
const MAX_CONTENT_BYTES = 512 * 1_048_576;

const derive = (secret: string, salt: Buffer, info: string, bytes: number): Buffer =>
  Buffer.from(hkdfSync("sha256", secret, salt, `lectern backup ${info}`, bytes));

/**
 * Returns a sealer for `secrets`, the value of BACKUP_KEY: the first encrypts, all of them decrypt,
 * so that a key can be replaced.
 */
export function createSealer(secrets: readonly string[]): Sealer {
  const keys = secrets.map((secret) => ({
    secret,
    id: derive(secret, Buffer.alloc(0), "key id", KEY_ID_BYTES),
  }));
  const [current] = keys;
  if (!current) throw new Error("BACKUP_KEY is empty");
  return {
    seal(name, content) {
      const salt = randomBytes(SALT_BYTES);
      const head = Buffer.concat([MAGIC, current.id, salt]);
      const cipher = createCipheriv(
        "aes-256-gcm",
        derive(current.secret, salt, "object", 32),
        NONCE,
      );
      cipher.setAAD(Buffer.concat([head, Buffer.from(name)]));
      const body = cipher.update(zstdCompressSync(content));
      return Buffer.concat([head, body, cipher.final(), cipher.getAuthTag()]);
    },
    open(name, object) {
      if (object.length < HEAD_BYTES + TAG_BYTES || !object.subarray(0, 4).equals(MAGIC))
        throw new SealedObjectError(`${name} is not an object of a backup, or is cut off`);
      const head = object.subarray(0, HEAD_BYTES);
      const id = head.subarray(MAGIC.length, MAGIC.length + KEY_ID_BYTES);
      const key = keys.find((each) => each.id.equals(id));
      if (!key)
        throw new SealedObjectError(
          `BACKUP_KEY does not fit: ${name} was encrypted with key ${id.toString("hex")}, and the key here is ${current.id.toString("hex")}`,
        );
      const salt = head.subarray(MAGIC.length + KEY_ID_BYTES);
      const decipher = createDecipheriv(
        "aes-256-gcm",
        derive(key.secret, salt, "object", 32),
        NONCE,
      );
      decipher.setAAD(Buffer.concat([head, Buffer.from(name)]));
      decipher.setAuthTag(object.subarray(object.length - TAG_BYTES));
      let body: Buffer;
      try {
        body = Buffer.concat([
          decipher.update(object.subarray(HEAD_BYTES, object.length - TAG_BYTES)),
          decipher.final(),
        ]);
      } catch {
        throw new SealedObjectError(`${name} is damaged: it does not match its authentication tag`);
      }
      return zstdDecompressSync(body, { maxOutputLength: MAX_CONTENT_BYTES });
    },
  };
}
