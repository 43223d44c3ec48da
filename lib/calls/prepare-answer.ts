// Assembles and probes the answer that an admin uploaded.

import { AppError, isAppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin } from "#lib/members/member.ts";
import { readSql, writeSql } from "#lib/db/database.ts";
import { ANSWER_LIMITS, probeAudio } from "./audio/probe.ts";
import type { AnswerAudio } from "./review.ts";
import { assembleUpload, removeUpload } from "./upload.ts";

/**
 * Returns the admin's own upload as an answer. Runs outside of any write; remove the upload in the write that saves the answer.
 * Throws AppError: forbidden for members; field "audio": not_found, conflict while parts are missing, invalid or too_large,
 * after which the upload is deleted.
 */
export async function prepareAnswer({
  uploadId,
  admin,
}: {
  uploadId: string;
  admin: Member;
}): Promise<AnswerAudio> {
  assertAdmin(admin);
  const upload = { id: uploadId, member: admin };
  try {
    const audio = await readSql((sql) => assembleUpload(sql, upload));
    const { contentType, durationMs } = await probeAudio(audio, ANSWER_LIMITS);
    return { contentType, durationMs, audio };
  } catch (error) {
    if (isAppError(error, "invalid") || isAppError(error, "too_large"))
      await writeSql((sql) => removeUpload(sql, upload));
    if (isAppError(error, "not_found"))
      throw new AppError("not_found", error.message, { field: "audio" });
    throw error;
  }
}
