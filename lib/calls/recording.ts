// Reads the recording of a call, for its owner and for admins.

import { createHash } from "node:crypto";
import { MINUTE_MS } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import type { Member } from "#lib/members/member.ts";
import type { Prisma, Tx } from "#lib/db/database.ts";
import { decodeRecording, sniffAudio } from "./audio/probe.ts";
import { AudioCache, type CachedAudio } from "./audio-cache.ts";
import { readUploadParts } from "./upload.ts";

export interface StoredRecording {
  readonly bytes: Uint8Array;
  /** Detected from the bytes; application/octet-stream for an unknown format. */
  readonly contentType: string;
  /** The call's title with the extension of the type. */
  readonly filename: string;
  readonly etag: string;
}

// A player requests many ranges of a recording. Each request is authorized before it uses the
// cache.
const recordingCache = new AudioCache(32_000_000, 2 * MINUTE_MS);

/** Columns that identify a recording. The ID is not enough: a member can reuse a deleted call's. */
const AUDIO_KEY = {
  id: true,
  userId: true,
  createdAt: true,
  updatedAt: true,
} satisfies Prisma.CallSelect;

/**
 * Returns the recording of the member's own call, or of any call for an admin. Throws
 * AppError(not_found) otherwise, and for typed questions.
 */
export async function getRecording(
  tx: Tx,
  { id, member }: { id: string; member: Member },
): Promise<StoredRecording> {
  const call = await tx.call.findUnique({
    where: { id, ...(member.role !== "ADMIN" && { userId: member.id }) },
    select: { ...AUDIO_KEY, title: true },
  });
  const audio = call && (await readCallAudio(tx, call));
  if (!audio) throw new AppError("not_found", "This recording doesn’t exist.");
  const sniffed = sniffAudio(audio.bytes);
  return {
    ...audio,
    contentType: sniffed?.contentType ?? "application/octet-stream",
    filename: `${call.title}.${sniffed?.extension ?? "bin"}`,
  };
}

/**
 * Returns the recording of a call from its upload's parts or, for calls of the source site, decoded
 * from Call.base64. Returns null for a typed question or a missing call. The caller must authorize
 * the listener.
 */
export async function findCallAudio(tx: Tx, id: string): Promise<CachedAudio | null> {
  const call = await tx.call.findUnique({ where: { id }, select: AUDIO_KEY });
  return call && (await readCallAudio(tx, call));
}

async function readCallAudio(
  tx: Tx,
  { id, userId, createdAt, updatedAt }: Prisma.CallGetPayload<{ select: typeof AUDIO_KEY }>,
): Promise<CachedAudio | null> {
  const upload = await tx.upload.findFirst({
    where: { callId: id, contentType: { not: null } },
    select: { id: true, size: true },
  });
  const key = [id, userId, createdAt.getTime(), updatedAt.getTime(), upload?.id].join(" ");
  const cached = recordingCache.get(key);
  if (cached) return cached;
  const bytes = upload ? readUploadParts(tx, upload) : await readSourceRecording(tx, id);
  if (!bytes) return null;
  const etag = createHash("sha256").update(bytes).digest("base64url").slice(0, 27);
  return recordingCache.add(key, { bytes, etag });
}

/** Decodes the recording of a call from the source site. Returns null for a typed question. */
async function readSourceRecording(tx: Tx, id: string): Promise<Uint8Array | null> {
  const call = await tx.call.findUnique({ where: { id }, select: { base64: true } });
  return call && decodeRecording(call.base64);
}
