// The sound of a call, for its owner and for admins.

import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { MINUTE_MS } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { Member } from "../base/member.ts";
import type { Sql } from "../db/connection.ts";
import { decodeRecording, sniffAudio } from "./audio.ts";

export interface StoredRecording {
  readonly bytes: Uint8Array;
  /** By the bytes; application/octet-stream for what is no sound we know. */
  readonly contentType: string;
  /** The title of the call and the extension of the type. */
  readonly filename: string;
  readonly etag: string;
}

// A player asks for a recording in many ranges: decoding all of it for each would be a waste. Some recordings, for some minutes;
// whether somebody may hear them is asked every time.
const decoded = new LRUCache<string, { bytes: Uint8Array; etag: string }>({ maxSize: 32_000_000, sizeCalculation: ({ bytes }) => bytes.length + 200, ttl: 2 * MINUTE_MS });

/** The recording of a call, if it is the member's own or the member is an admin. Throws AppError(not_found) for anybody else, and for a typed question. */
export function getRecording(sql: Sql, { id, member }: { id: string; member: Member }): StoredRecording {
  const call = sql.get<{ userId: string; title: string; size: number }>(`SELECT "userId", "title", octet_length("base64") AS "size" FROM "Call" WHERE "id" = ?`, id);
  const found = call && (call.userId === member.id || member.role === "ADMIN") ? soundOf(sql, id, call.size) : null;
  if (!call || !found) throw new AppError("not_found", "There is no such recording.");
  const sniffed = sniffAudio(found.bytes);
  return { ...found, contentType: sniffed?.contentType ?? "application/octet-stream", filename: `${call.title}.${sniffed?.extension ?? "bin"}` };
}

/** The decoded sound of a call of `size` bytes, for whom may hear it: the caller of this asks. null for a typed question. */
export function soundOf(sql: Sql, id: string, size: number): { bytes: Uint8Array; etag: string } | null {
  // With the size: an id that was deleted and used again is another recording, unless it is as long.
  const key = `${id} ${size}`;
  const known = decoded.get(key);
  if (known) return known;
  const bytes = decodeRecording(sql.get<{ base64: string }>(`SELECT "base64" FROM "Call" WHERE "id" = ?`, id)?.base64 ?? "");
  if (!bytes) return null;
  const sound = { bytes, etag: createHash("sha256").update(bytes).digest("base64url").slice(0, 27) };
  decoded.set(key, sound);
  return sound;
}
