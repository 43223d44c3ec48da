"use server";
// What admins decide on calls. Each form says what its admin saw (`seen`): lib/calls/review.ts refuses when that is not so any more.

import { refresh } from "next/cache";
import { z } from "zod";
import { defineServerAction } from "#lib/members/server-action.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { uuidField, singleLineField, multiLineField } from "#lib/core/validate.ts";
import { canMergeAudio, mergeAudio } from "#lib/calls/merge-audio.ts";
import { normalizeKeywords } from "#lib/calls/keywords.ts";
import {
  publishCall as publishCall,
  findMergeSource,
  unpublishCall as takeDown,
} from "#lib/calls/publish.ts";
import {
  declineCall,
  editCall,
  unclaimCall,
  removeAnswer as dropAnswer,
  reopenCall,
  saveAnswer,
  claimCall,
} from "#lib/calls/review.ts";
import { prepareAnswer } from "#lib/calls/prepare-answer.ts";
import { removeUpload } from "#lib/calls/upload.ts";
import { readSql } from "#lib/db/database.ts";
import { triggerDeliveries } from "#lib/outbound/outbox/outbox.ts";

// Calls moved in from elsewhere may have ids that are not ours.
const callIdField = z
  .string({ error: "The call is missing." })
  .min(1, { error: "The call is missing." })
  .max(200, { error: "There is no such call." });
const MISSING_VERSION_MESSAGE = "Load the page again: the form does not say what was seen.";
const versionField = z.coerce
  .number({ error: MISSING_VERSION_MESSAGE })
  .int({ error: MISSING_VERSION_MESSAGE });
const decisionFields = z.object({ id: callIdField, seen: versionField });
const transcriptField = multiLineField({
  label: "The transcript",
  minLength: 0,
  maxLength: 60_000,
});

/** Does it, and has the page show what is true now, also when another admin was first. */
async function refreshAfter<T>(work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    refresh();
    return result;
  } catch (error) {
    if (isAppError(error, "conflict") || isAppError(error, "not_found")) refresh();
    throw error;
  }
}

export const claimCallAction = defineServerAction({
  requiredRole: "admin",
  fields: decisionFields,
  run: ({ input, write }) =>
    refreshAfter(async () => {
      await write((sql, by) =>
        claimCall(sql, { callId: input.id, by, expectedVersion: input.seen }),
      );
      return "It is yours: other admins see that you are at it.";
    }),
});

export const unclaimCallAction = defineServerAction({
  requiredRole: "admin",
  fields: decisionFields,
  run: ({ input, write }) =>
    refreshAfter(async () => {
      await write((sql, by) =>
        unclaimCall(sql, { callId: input.id, by, expectedVersion: input.seen }),
      );
      return "It is back among the new ones.";
    }),
});

/** Field uploadId: the upload of the answer. */
export const saveAnswerAction = defineServerAction({
  requiredRole: "admin",
  fields: decisionFields.extend({
    uploadId: z.preprocess((value) => value || null, uuidField("The recording").nullable()),
  }),
  run: ({ input, member, write }) =>
    refreshAfter(async () => {
      const { uploadId } = input;
      if (!uploadId)
        throw new AppError("invalid", "There is no answer yet: record one, or choose a file.", {
          field: "audio",
        });
      const prepared = await prepareAnswer({ uploadId, by: member });
      await write((sql, by) => {
        saveAnswer(sql, { callId: input.id, by, expectedVersion: input.seen, answer: prepared });
        removeUpload(sql, { id: uploadId, member: by });
      });
      return "The answer is kept. Listen to it once more, then publish.";
    }),
});

export const removeAnswerAction = defineServerAction({
  requiredRole: "admin",
  fields: decisionFields,
  run: ({ input, write }) =>
    refreshAfter(async () => {
      await write((sql, by) =>
        dropAnswer(sql, { callId: input.id, by, expectedVersion: input.seen }),
      );
      return "The answer is gone.";
    }),
});

export const declineCallAction = defineServerAction({
  requiredRole: "admin",
  fields: decisionFields.extend({
    reason: multiLineField({ label: "The reason", minLength: 10, maxLength: 1_000 }),
  }),
  run: ({ input, write }) =>
    refreshAfter(async () => {
      await write((sql, by) =>
        declineCall(sql, {
          callId: input.id,
          by,
          expectedVersion: input.seen,
          reason: input.reason,
        }),
      );
      triggerDeliveries();
      return "Declined. The caller gets your reason by mail.";
    }),
});

export const reopenCallAction = defineServerAction({
  requiredRole: "admin",
  fields: decisionFields,
  run: ({ input, write }) =>
    refreshAfter(async () => {
      await write((sql, by) =>
        reopenCall(sql, { callId: input.id, by, expectedVersion: input.seen }),
      );
      return "It is open again. The caller was not told.";
    }),
});

/** Field seen: of the texts (Call.updatedAt). `transcript` comes from a published call's form only. */
export const editCallAction = defineServerAction({
  requiredRole: "admin",
  fields: decisionFields.extend({
    title: singleLineField({ label: "The title", minLength: 5, maxLength: 50 }),
    description: multiLineField({ label: "The description", minLength: 20, maxLength: 1_000 }),
    keywords: singleLineField(
      { label: "The list of keywords", minLength: 2, maxLength: 100 },
      normalizeKeywords,
    ),
    note: multiLineField({ label: "The note", minLength: 0, maxLength: 5_000 }),
    transcript: transcriptField.optional(),
  }),
  run: async ({ input: { id, seen, ...texts }, write }) => {
    await write((sql, by) => editCall(sql, { callId: id, by, expectedVersion: seen, ...texts }));
    refresh();
    return "Saved.";
  },
});

export const publishCallAction = defineServerAction({
  requiredRole: "admin",
  fields: decisionFields.extend({ transcript: transcriptField }),
  run: ({ input, member, write }) =>
    refreshAfter(async () => {
      const saw = { callId: input.id, expectedVersion: input.seen };
      // Before the write, which must be short: the file is of what this admin saw, and publish refuses anything else.
      const source = await readSql((sql) => findMergeSource(sql, { ...saw, by: member }));
      const joined = source && (await mergeAudio(source));
      const { number } = await write(
        (sql, by) => publishCall(sql, { ...saw, by, transcript: input.transcript, joined }),
        { isDurable: true },
      );
      triggerDeliveries();
      const how = joined
        ? ""
        : (await canMergeAudio())
          ? " Question and answer could not be joined into one file: the page plays them in turn."
          : " Without ffmpeg there is no joined file: the page plays question and answer in turn.";
      return `Published as episode ${number}. The caller is told by mail.${how}`;
    }),
});

export const unpublishCallAction = defineServerAction({
  requiredRole: "admin",
  fields: decisionFields,
  run: ({ input, write }) =>
    refreshAfter(async () => {
      await write((sql, by) =>
        takeDown(sql, { callId: input.id, by, expectedVersion: input.seen }),
      );
      return "The episode is taken down. The caller was not told.";
    }),
});
