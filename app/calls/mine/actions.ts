"use server";
// What members do with their own calls.

import { refresh } from "next/cache";
import { z } from "zod";
import { defineServerAction } from "#lib/members/server-action.ts";
import { uuidField } from "#lib/core/validate.ts";
import { deleteOwnCall } from "#lib/calls/own-calls.ts";

/** Field: id. The call's answer and episode go with it. */
export const deleteCall = defineServerAction({
  requiredRole: "member",
  fields: z.object({ id: uuidField("The call") }),
  run: async ({ input, write }) => {
    await write((sql, member) => deleteOwnCall(sql, { id: input.id, member }));
    refresh();
    return "The call is deleted.";
  },
});
