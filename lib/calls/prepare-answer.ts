// The answer that an admin recorded or chose, from its upload.

import { AppError, isAppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin } from "#lib/core/member.ts";
import { readSql, writeSql } from "#lib/db/database.ts";
import { ANSWER_LIMITS, probeAudio } from "./audio/probe.ts";
import type { AnswerAudio } from "./review.ts";
import { assembleUpload, removeUpload } from "./upload.ts";

/**
 * The admin's own upload, put together, checked and measured, outside any write. Remove it in the write that saves the answer.
 * Throws AppError: forbidden for all but admins; for the field "audio" not_found, conflict while parts are missing, invalid or
 * too_large for what can't be an answer (and such an upload is given up: nothing would ever make it one).
 */
export async function prepareAnswer({
  uploadId,
  by,
}: {
  uploadId: string;
  by: Member;
}): Promise<AnswerAudio> {
  assertAdmin(by);
  const own = { id: uploadId, member: by };
  try {
    const audio = await readSql((sql) => assembleUpload(sql, own));
    const { contentType, durationMs } = await probeAudio(audio, ANSWER_LIMITS);
    return { contentType, durationMs, audio };
  } catch (error) {
    if (isAppError(error, "invalid") || isAppError(error, "too_large"))
      await writeSql((sql) => removeUpload(sql, own));
    if (isAppError(error, "not_found"))
      throw new AppError("not_found", error.message, { field: "audio" });
    throw error;
  }
}
