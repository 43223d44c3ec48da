"use server";
// The end of an account.

import { redirect } from "next/navigation";
import { z } from "zod";
import { clearSessionCookie } from "../clear-session-cookie.ts";
import { defineServerAction } from "#lib/action/form-action.ts";
import { nowMs } from "#lib/base/clock.ts";
import { AppError } from "#lib/base/errors.ts";
import { singleLineField } from "#lib/base/fields.ts";
import { log } from "#lib/base/log.ts";
import {
  DELETE_CONFIRMATION,
  deleteAccount,
  isDeleteConfirmed,
} from "#lib/members/delete-account.ts";
import { recordLeadChanges } from "#lib/teams/ownership.ts";

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
