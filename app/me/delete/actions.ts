"use server";
// The end of an account.

import { redirect } from "next/navigation";
import { z } from "zod";
import { clearSessionCookie } from "../clear-session-cookie.ts";
import { formAction } from "#lib/action/form-action.ts";
import { nowMs } from "#lib/base/clock.ts";
import { AppError } from "#lib/base/errors.ts";
import { line } from "#lib/base/fields.ts";
import { log } from "#lib/base/log.ts";
import { DELETE_WORD, deleteAccount, isDeleteConfirmed } from "#lib/members/delete-account.ts";
import { recordOwnership } from "#lib/teams/ownership.ts";

export const deleteMine = formAction({
  who: "member",
  recent: true,
  fields: z.object({ confirmation: line({ name: "The word", max: 60 }) }),
  async run({ input, write }) {
    const changes = await write((sql, { id, firstName }) => {
      if (!isDeleteConfirmed(input.confirmation, firstName))
        throw new AppError("invalid", `Type “${DELETE_WORD}” to go on.`, { field: "confirmation" });
      const { slugs } = deleteAccount(sql, id);
      return slugs.length > 0 ? recordOwnership(sql, { slugs, nowMs: nowMs() }) : [];
    });
    for (const change of changes) log("info", "teams.leader_changed", { ...change });
    await clearSessionCookie();
    redirect("/goodbye");
  },
});
