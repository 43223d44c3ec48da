"use server";
// The end of an account.

import { redirect } from "next/navigation";
import { z } from "zod";
import { clearSessionCookie } from "#lib/members/cookies/clear-session-cookie.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { singleLineField } from "#lib/core/validate.ts";
import { log } from "#lib/core/log.ts";
import {
  DELETE_CONFIRMATION,
  deleteAccount,
  isDeleteConfirmed,
} from "#lib/members/delete-account.ts";
import { recordLeadChanges } from "#lib/reading/lead-changes.ts";

export const deleteMyAccount = defineServerAction({
  requiredRole: "member",
  requiresRecentLogin: true,
  fields: z.object({ confirmation: singleLineField({ label: "The word", maxLength: 60 }) }),
  async run({ input, write }) {
    const changes = await write((sql, { id, firstName }) => {
      if (!isDeleteConfirmed(input.confirmation, firstName))
        throw new AppError("invalid", `Type “${DELETE_CONFIRMATION}” to go on.`, {
          field: "confirmation",
        });
      const { slugs } = deleteAccount(sql, id);
      return slugs.length > 0 ? recordLeadChanges(sql, { slugs, nowMs: nowMs() }) : [];
    });
    for (const change of changes) log("info", "teams.leader_changed", { ...change });
    await clearSessionCookie();
    redirect("/goodbye");
  },
});
