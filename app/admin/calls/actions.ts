"use server";
// What admins decide on calls. Each form says what its admin saw (`seen`): lib/calls/review.ts refuses when that is not so any more.

import { refresh } from "next/cache";
import { z } from "zod";
import { formAction } from "#lib/action/form-action.ts";
import { AppError, isAppError } from "#lib/base/errors.ts";
import { id, line, lines } from "#lib/base/fields.ts";
import { canJoin, joinAudio } from "#lib/calls/join-audio.ts";
import { cleanKeywords } from "#lib/calls/keywords.ts";
import { publish as publishCall, readJoinable, unpublish as takeDown } from "#lib/calls/publish.ts";
import {
  declineCall,
  editCall,
  putBackCall,
  removeAnswer as dropAnswer,
  reopenCall,
  saveAnswer,
  takeCall,
} from "#lib/calls/review.ts";
import { prepareAnswer } from "#lib/calls/review-answer.ts";
import { removeUpload } from "#lib/calls/upload.ts";
import { snapshotSql } from "#lib/db/database.ts";
import { kickDeliveries } from "#lib/outbox/outbox.ts";

// Calls moved in from elsewhere may have ids that are not ours.
const callId = z
  .string({ error: "The call is missing." })
  .min(1, { error: "The call is missing." })
  .max(200, { error: "There is no such call." });
const UNSEEN = "Load the page again: the form does not say what was seen.";
const seen = z.coerce.number({ error: UNSEEN }).int({ error: UNSEEN });
const decision = z.object({ id: callId, seen });
const transcript = lines({ name: "The transcript", min: 0, max: 60_000 });

/** Does it, and has the page show what is true now, also when another admin was first. */
async function andShow<T>(work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    refresh();
    return result;
  } catch (error) {
    if (isAppError(error, "conflict") || isAppError(error, "not_found")) refresh();
    throw error;
  }
}

export const take = formAction({
  who: "admin",
  fields: decision,
  run: ({ input, write }) =>
    andShow(async () => {
      await write((sql, by) => takeCall(sql, { callId: input.id, by, seenMs: input.seen }));
      return "It is yours: other admins see that you are at it.";
    }),
});

export const putBack = formAction({
  who: "admin",
  fields: decision,
  run: ({ input, write }) =>
    andShow(async () => {
      await write((sql, by) => putBackCall(sql, { callId: input.id, by, seenMs: input.seen }));
      return "It is back among the new ones.";
    }),
});

/** Field uploadId: the upload of the answer. */
export const answer = formAction({
  who: "admin",
  fields: decision.extend({
    uploadId: z.preprocess((value) => value || null, id("The recording").nullable()),
  }),
  run: ({ input, member, write }) =>
    andShow(async () => {
      const { uploadId } = input;
      if (!uploadId)
        throw new AppError("invalid", "There is no answer yet: record one, or choose a file.", {
          field: "audio",
        });
      const prepared = await prepareAnswer({ uploadId, by: member });
      await write((sql, by) => {
        saveAnswer(sql, { callId: input.id, by, seenMs: input.seen, answer: prepared });
        removeUpload(sql, { id: uploadId, member: by });
      });
      return "The answer is kept. Listen to it once more, then publish.";
    }),
});

export const removeAnswer = formAction({
  who: "admin",
  fields: decision,
  run: ({ input, write }) =>
    andShow(async () => {
      await write((sql, by) => dropAnswer(sql, { callId: input.id, by, seenMs: input.seen }));
      return "The answer is gone.";
    }),
});

export const decline = formAction({
  who: "admin",
  fields: decision.extend({ reason: lines({ name: "The reason", min: 10, max: 1_000 }) }),
  run: ({ input, write }) =>
    andShow(async () => {
      await write((sql, by) =>
        declineCall(sql, { callId: input.id, by, seenMs: input.seen, reason: input.reason }),
      );
      kickDeliveries();
      return "Declined. The caller gets your reason by mail.";
    }),
});

export const reopen = formAction({
  who: "admin",
  fields: decision,
  run: ({ input, write }) =>
    andShow(async () => {
      await write((sql, by) => reopenCall(sql, { callId: input.id, by, seenMs: input.seen }));
      return "It is open again. The caller was not told.";
    }),
});

/** Field seen: of the texts (Call.updatedAt). `transcript` comes from a published call's form only. */
export const edit = formAction({
  who: "admin",
  fields: decision.extend({
    title: line({ name: "The title", min: 5, max: 50 }),
    description: lines({ name: "The description", min: 20, max: 1_000 }),
    keywords: line({ name: "The list of keywords", min: 2, max: 100 }, cleanKeywords),
    note: lines({ name: "The note", min: 0, max: 5_000 }),
    transcript: transcript.optional(),
  }),
  run: async ({ input: { id, seen, ...texts }, write }) => {
    await write((sql, by) => editCall(sql, { callId: id, by, seenMs: seen, ...texts }));
    refresh();
    return "Saved.";
  },
});

export const publish = formAction({
  who: "admin",
  fields: decision.extend({ transcript }),
  run: ({ input, member, write }) =>
    andShow(async () => {
      const saw = { callId: input.id, seenMs: input.seen };
      // Before the write, which must be short: the file is of what this admin saw, and publish refuses anything else.
      const source = await snapshotSql((sql) => readJoinable(sql, { ...saw, by: member }));
      const joined = source && (await joinAudio(source));
      const { number } = await write(
        (sql, by) => publishCall(sql, { ...saw, by, transcript: input.transcript, joined }),
        { durable: true },
      );
      kickDeliveries();
      const how = joined
        ? ""
        : (await canJoin())
          ? " Question and answer could not be joined into one file: the page plays them in turn."
          : " Without ffmpeg there is no joined file: the page plays question and answer in turn.";
      return `Published as episode ${number}. The caller is told by mail.${how}`;
    }),
});

export const unpublish = formAction({
  who: "admin",
  fields: decision,
  run: ({ input, write }) =>
    andShow(async () => {
      await write((sql, by) => takeDown(sql, { callId: input.id, by, seenMs: input.seen }));
      return "The episode is taken down. The caller was not told.";
    }),
});
