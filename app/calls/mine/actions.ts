"use server";
// Defines the server actions on a member's own calls.

import { refresh } from "next/cache";
import { z } from "zod";
import { defineServerAction } from "#lib/members/server-action.ts";
import { callIdField } from "#lib/calls/call-id-field.ts";
import { deleteOwnCall } from "#lib/calls/own-calls.ts";

/** Deletes the call `id` with its recording, answer and episode. */
export const deleteCall = defineServerAction({
  requiredRole: "member",
  fields: z.object({ id: callIdField }),
  run: async ({ input, write }) => {
    await write((tx, member) => deleteOwnCall(tx, { id: input.id, member }));
    refresh();
    return "Call deleted.";
  },
});
