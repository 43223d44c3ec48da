"use server";
// Deletes the member's own account.

import { redirect } from "next/navigation";
import { z } from "zod";
import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { setNotice } from "#lib/http/notice-cookie.ts";
import { singleLineField } from "#lib/core/validate.ts";
import { sessionCookie } from "#lib/members/cookies.ts";
import { visitCookie } from "#lib/members/last-visit.ts";
import {
  DELETE_CONFIRMATION,
  deleteAccount,
  isDeleteConfirmed,
} from "#lib/members/delete-account.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { logLeadChanges, recordLeadChanges } from "#lib/reading/lead-changes.ts";

export const deleteMyAccount = defineServerAction({
  requiredRole: "member",
  requiresRecentLogin: true,
  fields: z.object({ confirmation: singleLineField({ label: "The word", maxLength: 60 }) }),
  async run({ input, write }) {
    const leadChanges = await write(
      async (tx, { id, firstName }) => {
        if (!isDeleteConfirmed(input.confirmation, firstName))
          throw new AppError("invalid", `Type “${DELETE_CONFIRMATION}” to confirm.`, {
            field: "confirmation",
          });
        const { slugs } = await deleteAccount(tx, id);
        return recordLeadChanges(tx, { slugs, nowMs: nowMs() });
      },
      { isDurable: true },
    );
    logLeadChanges(leadChanges);
    await sessionCookie.expire();
    await visitCookie.expire();
    await setNotice("account-deleted");
    redirect("/goodbye");
  },
});
