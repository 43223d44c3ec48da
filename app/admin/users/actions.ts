"use server";
// Defines the server actions on members. The functions inside `write` check authorization again.

import { refresh } from "next/cache";
import { redirect } from "next/navigation";
import { z } from "zod";
import { defineServerAction } from "#lib/members/server-action.ts";
import { nowMs } from "#lib/core/clock.ts";
import { deleteUser, editUser, revokeUserSessions } from "#lib/members/admin-users.ts";
import { firstNameField } from "#lib/members/profile.ts";
import { changeRole } from "#lib/members/roles.ts";
import { setNotice } from "#lib/http/notice-cookie.ts";
import { sessionCookie } from "#lib/members/cookies.ts";
import { logLeadChanges, recordLeadChanges } from "#lib/reading/lead-changes.ts";
import { ROLES, TEAMS } from "#lib/db/column-values.ts";

/** Ids from the source site may have another format. */
const userId = z
  .string({ error: "The member is missing." })
  .min(1, { error: "The member is missing." })
  .max(200, { error: "This member doesn’t exist." });
const expectedVersion = z.coerce
  .number({ error: "Reload the page and try again." })
  .int({ error: "Reload the page and try again." });

export const editMember = defineServerAction({
  requiredRole: "admin",
  fields: z.object({
    id: userId,
    expectedVersion,
    firstName: firstNameField(),
    team: z.enum(TEAMS, { error: "Choose one of the three teams." }),
  }),
  async run({ input, write }) {
    const { changed, changes } = await write(async (tx, admin) => {
      const { changed, slugs } = await editUser(tx, admin, input);
      return {
        changed,
        changes: recordLeadChanges(tx, { slugs, nowMs: nowMs() }),
      };
    });
    logLeadChanges(changes);
    refresh();
    if (changed.length === 0) return "No changes.";
    return changed.includes("team") ? "Saved. Their reads now count for the new team." : "Saved.";
  },
});

export const changeMemberRole = defineServerAction({
  requiredRole: "admin",
  requiresRecentLogin: true,
  fields: z.object({
    id: userId,
    expectedVersion,
    role: z.enum(ROLES, { error: "This role doesn’t exist." }),
  }),
  async run({ input, write }) {
    const { to, revokedSessionCount } = await write((tx, admin) => changeRole(tx, admin, input), {
      isDurable: true,
    });
    refresh();
    return `${to === "ADMIN" ? "Now an admin." : "Now a member."}${revokedSessionCount > 0 ? " They have been logged out." : ""}`;
  },
});

export const revokeMemberSessions = defineServerAction({
  requiredRole: "admin",
  requiresRecentLogin: true,
  fields: z.object({ id: userId }),
  async run({ input, write }) {
    const count = await write((tx, admin) => revokeUserSessions(tx, admin, input.id), {
      isDurable: true,
    });
    refresh();
    return count === 1 ? "Logged out of 1 device." : `Logged out of ${count} devices.`;
  },
});

export const deleteMember = defineServerAction({
  requiredRole: "admin",
  requiresRecentLogin: true,
  fields: z.object({
    id: userId,
    typed: z
      .string({ error: "Type the email address." })
      .max(300, { error: "This isn’t the member’s email address." }),
  }),
  async run({ input, member, write }) {
    const changes = await write(
      async (tx, admin) => {
        const { slugs } = await deleteUser(tx, admin, input);
        return recordLeadChanges(tx, { slugs, nowMs: nowMs() });
      },
      { isDurable: true },
    );
    logLeadChanges(changes);
    const isSelf = input.id === member.id;
    if (isSelf) await sessionCookie.expire();
    await setNotice(isSelf ? "account-deleted" : "member-deleted");
    redirect(isSelf ? "/goodbye" : "/admin/users");
  },
});
