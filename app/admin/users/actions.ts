"use server";
// What an admin does with a member. The functions below write check every right again; here rooms that don't know one another meet.

import { refresh } from "next/cache";
import { redirect } from "next/navigation";
import { z } from "zod";
import { defineServerAction } from "#lib/members/server-action.ts";
import { nowMs } from "#lib/core/clock.ts";
import { deleteUser, editUser, revokeUserSessions } from "#lib/members/admin-users.ts";
import { firstNameField } from "#lib/members/profile.ts";
import { ROLES, changeRole } from "#lib/members/roles.ts";
import { logLeadChanges, recordLeadChanges } from "#lib/reading/lead-changes.ts";
import { TEAMS } from "#lib/reading/team.ts";

/** Members moved in from elsewhere may have ids that are not ours. */
const userId = z
  .string({ error: "The member is missing." })
  .min(1, { error: "The member is missing." })
  .max(200, { error: "This is no member." });
const expectedUpdatedAt = z.coerce
  .number({ error: "Load the page again: it does not say what was seen." })
  .int({ error: "Load the page again: it does not say what was seen." });

export const editMember = defineServerAction({
  requiredRole: "admin",
  fields: z.object({
    id: userId,
    expectedUpdatedAt,
    firstName: firstNameField(),
    team: z.enum(TEAMS, { error: "Choose Red, Blue or Yellow." }),
  }),
  async run({ input, write }) {
    const { changed, changes } = await write((sql, admin) => {
      const { changed, slugs } = editUser(sql, admin, input);
      return {
        changed,
        changes: recordLeadChanges(sql, { slugs, nowMs: nowMs() }),
      };
    });
    logLeadChanges(changes);
    refresh();
    if (changed.length === 0) return "Nothing was different, so nothing was changed.";
    return changed.includes("team")
      ? "Saved. What they have read counts for the new team."
      : "Saved.";
  },
});

export const changeMemberRole = defineServerAction({
  requiredRole: "admin",
  requiresRecentLogin: true,
  fields: z.object({
    id: userId,
    expectedUpdatedAt,
    role: z.enum(ROLES, { error: "There is no such role." }),
  }),
  async run({ input, write }) {
    const { to, revokedSessionCount } = await write((sql, admin) => changeRole(sql, admin, input));
    refresh();
    return `${to === "ADMIN" ? "They are an admin now" : "They are a member like others now"}${revokedSessionCount > 0 ? ", and have to log in again" : ""}.`;
  },
});

export const revokeMemberSessions = defineServerAction({
  requiredRole: "admin",
  requiresRecentLogin: true,
  fields: z.object({ id: userId }),
  async run({ input, write }) {
    const ended = await write((sql, admin) => revokeUserSessions(sql, admin, input.id));
    refresh();
    return ended === 1 ? "One session has ended." : `${ended} sessions have ended.`;
  },
});

export const deleteMember = defineServerAction({
  requiredRole: "admin",
  requiresRecentLogin: true,
  fields: z.object({
    id: userId,
    typed: z
      .string({ error: "Type the address." })
      .max(300, { error: "This is not the address of this member." }),
  }),
  async run({ input, member, write }) {
    const changes = await write((sql, admin) => {
      const { slugs } = deleteUser(sql, admin, input);
      return recordLeadChanges(sql, { slugs, nowMs: nowMs() });
    });
    logLeadChanges(changes);
    redirect(input.id === member.id ? "/" : "/admin/users?said=deleted");
  },
});
