"use server";
// Leaving a call: the form of /calls/record.

import { redirect } from "next/navigation";
import { z } from "zod";
import { draftOwner } from "../draft-owner.ts";
import { formAction } from "#lib/action/form-action.ts";
import { AppError } from "#lib/base/errors.ts";
import { id, line, lines } from "#lib/base/fields.ts";
import { cleanKeywords } from "#lib/calls/keywords.ts";
import { prepareRecording, submitCall as submit } from "#lib/calls/submit.ts";
import { inTurn } from "#lib/calls/turns.ts";
import { kickDeliveries } from "#lib/outbox/outbox.ts";

/**
 * Fields: id (made with the form), title, description, keywords, uploadId (empty or none for a written question).
 * What is wrong with the recording stands at the field "audio". Leads to /calls/mine?sent=ID.
 */
export const submitCall = formAction({
  who: "member",
  fields: z.object({
    id: id("The id of the form"),
    title: line({ name: "The title", min: 5, max: 50 }),
    description: lines({ name: "The description", min: 20, max: 1_000 }),
    keywords: line({ name: "The list of keywords", min: 2, max: 100 }, cleanKeywords),
    owner: z.string().max(100).optional(),
    uploadId: z.preprocess((value) => value || null, id("The recording").nullable()),
  }),
  run: async ({ input, member, write }) => {
    // Another tab may have logged somebody else in since the page was loaded.
    if (input.owner !== undefined && input.owner !== draftOwner(member)) {
      throw new AppError(
        "conflict",
        `This page was opened by another member; now you are logged in as ${member.firstName}. Whoever spoke logs in again and sends it: it is kept on this device.`,
      );
    }
    const { uploadId } = input;
    const store = async () => {
      const recording = uploadId ? await prepareRecording({ uploadId, member }) : null;
      return write((sql, member) => submit(sql, { ...input, recording, member }), {
        durable: true,
      });
    };
    const call = uploadId ? await inTurn(store) : await store();
    if (call.isNew) kickDeliveries();
    redirect(`/calls/mine?sent=${call.id}`);
  },
});
