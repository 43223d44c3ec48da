"use server";
// Leaving a call: the form of /calls/record.

import { redirect } from "next/navigation";
import { z } from "zod";
import { draftOwnerId } from "#lib/calls/draft-owner-id.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { AppError } from "#lib/core/errors.ts";
import { uuidField, singleLineField, multiLineField } from "#lib/core/validate.ts";
import { normalizeKeywords } from "#lib/calls/keywords.ts";
import { prepareRecording, submitCall as submit } from "#lib/calls/submit.ts";
import { withSubmitPermit } from "#lib/calls/submit-semaphore.ts";
import { triggerDeliveries } from "#lib/outbound/outbox/outbox.ts";

/**
 * Fields: id (made with the form), title, description, keywords, uploadId (empty or none for a written question).
 * What is wrong with the recording stands at the field "audio". Leads to /calls/mine?sent=ID.
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
    // Another tab may have logged somebody else in since the page was loaded.
    if (input.owner !== undefined && input.owner !== draftOwnerId(member)) {
      throw new AppError(
        "conflict",
        `This page was opened by another member; now you are logged in as ${member.firstName}. Whoever spoke logs in again and sends it: it is kept on this device.`,
      );
    }
    const { uploadId } = input;
    const store = async () => {
      const recording = uploadId ? await prepareRecording({ uploadId, member }) : null;
      return write((sql, member) => submit(sql, { ...input, recording, member }), {
        isDurable: true,
      });
    };
    const call = uploadId ? await withSubmitPermit(store) : await store();
    if (call.isNew) triggerDeliveries();
    redirect(`/calls/mine?sent=${call.id}`);
  },
});
