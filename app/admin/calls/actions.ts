"use server";
// Defines the server actions of the call pages. They lock optimistically (lib/calls/review.ts).

import { refresh } from "next/cache";
import { z } from "zod";
import { defineServerAction } from "#lib/members/server-action.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { uuidField, singleLineField, multiLineField } from "#lib/core/validate.ts";
import { canMergeAudio, mergeAudio } from "#lib/calls/merge-audio.ts";
import { normalizeKeywords } from "#lib/calls/keywords.ts";
import { publishCall, findMergeSource, unpublishCall } from "#lib/calls/publish.ts";
import {
  type ReviewDecision,
  declineCall,
  editCall,
  unclaimCall,
  removeAnswer,
  reopenCall,
  saveAnswer,
  claimCall,
} from "#lib/calls/review.ts";
import { callIdField } from "#lib/calls/call-id-field.ts";
import { prepareAnswer } from "#lib/calls/probe-upload.ts";
import { normalizeTranscript } from "#lib/calls/normalize-transcript.ts";
import { triggerTranscriptions } from "#lib/calls/transcribe.ts";
import { MAX_TRANSCRIPT_CHARS } from "#lib/calls/transcript.ts";
import { removeUpload } from "#lib/calls/upload.ts";
import { type Tx, read } from "#lib/db/database.ts";
import { triggerDeliveries } from "#lib/outbound/outbox/outbox.ts";

const MISSING_VERSION_MESSAGE = "Reload the page and try again.";
const versionField = z.coerce
  .number({ error: MISSING_VERSION_MESSAGE })
  .int({ error: MISSING_VERSION_MESSAGE })
  // A Date can't hold every integer.
  .min(-8.64e15, { error: MISSING_VERSION_MESSAGE })
  .max(8.64e15 - 1, { error: MISSING_VERSION_MESSAGE });
const decisionFields = z.object({ id: callIdField, expectedVersion: versionField });
const transcriptField = multiLineField({
  label: "The transcript",
  minLength: 0,
  maxLength: MAX_TRANSCRIPT_CHARS,
});
/** Typed, or the text of a file, which replaces it. */
const transcriptFields = {
  transcript: transcriptField,
  transcriptFile: transcriptField.optional(),
};
const transcriptFiles = ["transcriptFile"];

/** Runs `work` and refreshes the page, even after a conflict with another admin. */
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

/** Defines an action that changes only the state of a call. */
const defineDecision = (
  decide: (tx: Tx, decision: ReviewDecision) => Promise<void>,
  message: string,
) =>
  defineServerAction({
    requiredRole: "admin",
    fields: decisionFields,
    run: ({ input, write }) =>
      refreshAfter(async () => {
        const { id: callId, expectedVersion } = input;
        await write((tx, admin) => decide(tx, { callId, admin, expectedVersion }));
        return message;
      }),
  });

export const claimCallAction = defineDecision(claimCall, "Assigned to you.");
export const unclaimCallAction = defineDecision(unclaimCall, "Moved back to New.");
export const removeAnswerAction = defineDecision(removeAnswer, "Answer removed.");
export const reopenCallAction = defineDecision(
  reopenCall,
  "Reopened. The caller was not notified.",
);
export const unpublishCallAction = defineDecision(
  unpublishCall,
  "Unpublished. The caller was not notified.",
);

/** Field uploadId: the id of the answer's upload. */
export const saveAnswerAction = defineServerAction({
  requiredRole: "admin",
  fields: decisionFields.extend({
    uploadId: z.preprocess((value) => value || null, uuidField("The recording").nullable()),
  }),
  run: ({ input, member, write }) =>
    refreshAfter(async () => {
      const { uploadId } = input;
      if (!uploadId)
        throw new AppError("invalid", "Record or upload an answer first.", {
          field: "audio",
        });
      const prepared = await prepareAnswer({ uploadId, admin: member });
      await write(async (tx, admin) => {
        await saveAnswer(tx, {
          callId: input.id,
          admin,
          expectedVersion: input.expectedVersion,
          answer: prepared,
        });
        await removeUpload(tx, { id: uploadId, member: admin });
      });
      return "Answer saved. Listen once more before publishing.";
    }),
});

export const declineCallAction = defineServerAction({
  requiredRole: "admin",
  fields: decisionFields.extend({
    reason: multiLineField({ label: "The reason", minLength: 10, maxLength: 1_000 }),
  }),
  run: ({ input, write }) =>
    refreshAfter(async () => {
      await write((tx, admin) =>
        declineCall(tx, {
          callId: input.id,
          admin,
          expectedVersion: input.expectedVersion,
          reason: input.reason,
        }),
      );
      triggerDeliveries();
      return "Declined. We’ll email your reason to the caller.";
    }),
});

/** `expectedVersion` is Call.updatedAt. Only the form of a published call has a transcript. */
export const editCallAction = defineServerAction({
  requiredRole: "admin",
  fileFields: transcriptFiles,
  fields: decisionFields.extend({
    title: singleLineField({ label: "The title", minLength: 5, maxLength: 50 }),
    description: multiLineField({ label: "The description", minLength: 20, maxLength: 1_000 }),
    keywords: singleLineField(
      { label: "The list of keywords", minLength: 2, maxLength: 100 },
      normalizeKeywords,
    ),
    note: multiLineField({ label: "The note", minLength: 0, maxLength: 5_000 }),
    ...transcriptFields,
    transcript: transcriptField.optional(),
  }),
  run: async ({ input: { id, transcriptFile, ...texts }, write }) => {
    const transcript = transcriptFile ?? texts.transcript;
    await write((tx, admin) =>
      editCall(tx, {
        ...texts,
        callId: id,
        admin,
        ...(transcript !== undefined && { transcript: normalizeTranscript(transcript) }),
      }),
    );
    triggerTranscriptions();
    refresh();
    return "Saved.";
  },
});

export const publishCallAction = defineServerAction({
  requiredRole: "admin",
  fileFields: transcriptFiles,
  fields: decisionFields.extend(transcriptFields),
  run: ({ input, member, write }) =>
    refreshAfter(async () => {
      const transcript = normalizeTranscript(input.transcriptFile ?? input.transcript);
      const version = { callId: input.id, expectedVersion: input.expectedVersion };
      // Merges before the write, which must be short. publishCall throws if the answer has changed since.
      const source = await read((tx) => findMergeSource(tx, { ...version, admin: member }));
      const mergedAudio = source && (await mergeAudio(source));
      const { number } = await write(
        (tx, admin) => publishCall(tx, { ...version, admin, transcript, mergedAudio }),
        { isDurable: true },
      );
      triggerDeliveries();
      triggerTranscriptions();
      const note = mergedAudio
        ? ""
        : (await canMergeAudio())
          ? " Question and answer couldn’t be merged, so the page plays one after the other."
          : " ffmpeg isn’t installed, so the page plays question and answer one after the other.";
      return `Published as episode ${number}. We’ll email the caller.${note}`;
    }),
});
