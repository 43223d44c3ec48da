"use server";
// What members do with their own calls.

import { refresh } from "next/cache";
import { z } from "zod";
import { defineServerAction } from "#lib/action/form-action.ts";
import { uuidField } from "#lib/base/fields.ts";
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
