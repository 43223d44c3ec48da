// Assembles and probes a finished upload before the transaction that uses it.

import { AppError, isAppError } from "#lib/core/errors.ts";
import { read, write } from "#lib/db/database.ts";
import { type Member, assertAdmin } from "#lib/members/member.ts";
import { ANSWER_LIMITS, type AudioLimits, type EncodedAudio, probeAudio } from "./audio/probe.ts";
import { assembleUpload, removeUpload } from "./upload.ts";

/**
 * Returns the recording of the member's own upload. Throws AppError (field "audio"): not_found;
 * conflict if parts are missing or it was already submitted; invalid or too_large, after which the
 * upload is deleted.
 */
export async function probeUpload(
  upload: { id: string; member: Member },
  limits: AudioLimits,
): Promise<EncodedAudio> {
  try {
    const audio = await read((tx) => assembleUpload(tx, upload));
    const { contentType, durationMs } = await probeAudio(audio, limits);
    return { contentType, durationMs, audio };
  } catch (error) {
    if (isAppError(error, "invalid") || isAppError(error, "too_large"))
      await write((tx) => removeUpload(tx, upload));
    if (isAppError(error, "not_found"))
      throw new AppError("not_found", error.message, { field: "audio" });
    throw error;
  }
}

/**
 * Returns the admin's own upload as an answer. Throws like probeUpload, and AppError(forbidden) for
 * members.
 */
export async function prepareAnswer({
  uploadId,
  admin,
}: {
  uploadId: string;
  admin: Member;
}): Promise<EncodedAudio> {
  assertAdmin(admin);
  return probeUpload({ id: uploadId, member: admin }, ANSWER_LIMITS);
}
