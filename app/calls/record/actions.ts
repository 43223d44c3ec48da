"use server";
// Defines the server action of the form on /calls/record.

import { redirect } from "next/navigation";
import { z } from "zod";
import { draftOwnerId } from "#lib/calls/draft-owner-id.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { AppError } from "#lib/core/errors.ts";
import { uuidField, singleLineField, multiLineField } from "#lib/core/validate.ts";
import { normalizeKeywords } from "#lib/calls/keywords.ts";
import { prepareRecording, submitCall as storeCall } from "#lib/calls/submit.ts";
import { withSubmitPermit } from "#lib/calls/submit-semaphore.ts";
import { triggerDeliveries } from "#lib/outbound/outbox/outbox.ts";

/**
 * Stores a call. Fields: id (idempotency key), title, description, keywords, uploadId (empty or
 * missing for a typed question).
 * Errors of the recording are reported for the field "audio". Redirects to /calls/mine?sent=ID.
 */
export const submitCall = defineServerAction({
  requiredRole: "member",
  fields: z.object({
    id: uuidField("The id of the form"),
    title: singleLineField({ label: "The title", minLength: 5, maxLength: 50 }),
    description: multiLineField({ label: "The description", minLength: 20, maxLength: 1_000 }),
    keywords: singleLineField(
      { label: "The list of keywords", minLength: 2, maxLength: 100 },
      normalizeKeywords,
    ),
    owner: z.string().max(100).optional(),
    uploadId: z.preprocess((value) => value || null, uuidField("The recording").nullable()),
  }),
  run: async ({ input, member, write }) => {
    // Another tab may have switched accounts since the page was loaded.
    if (input.owner !== undefined && input.owner !== draftOwnerId(member)) {
      throw new AppError(
        "conflict",
        "You’ve switched accounts. Log back in as the original member to send this recording.",
      );
    }
    const { uploadId } = input;
    const store = async () => {
      const recording = uploadId ? await prepareRecording({ uploadId, member }) : null;
      return write((tx, member) => storeCall(tx, { ...input, recording, member }), {
        isDurable: true,
      });
    };
    const call = uploadId ? await withSubmitPermit(store) : await store();
    if (call.isNew) triggerDeliveries();
    redirect(`/calls/mine?sent=${call.id}`);
  },
});
