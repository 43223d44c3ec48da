"use server";
// What a member does on /me.

import { refresh } from "next/cache";
import { redirect } from "next/navigation";
import { z } from "zod";
import { loginRedirectUrl } from "#app/login/complete-login.ts";
import { clearSessionCookie } from "#lib/members/cookies/clear-session-cookie.ts";
import { setDeviceLinkCookie } from "#lib/members/cookies/device-link-cookie.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { singleLineField } from "#lib/core/validate.ts";
import { RateLimiter, consume } from "#lib/core/rate-limit.ts";
import { createDeviceLink } from "#lib/members/device-link.ts";
import { deletePasskey, updatePasskeyName } from "#lib/members/passkeys.ts";
import { changeFirstName, firstNameField } from "#lib/members/profile.ts";
import { deleteOtherSessions, deleteSessionByKey, deleteSession } from "#lib/members/sessions.ts";

const passkeyId = z.string({ error: "The passkey is missing." }).min(1).max(1_364);

export const updateFirstName = defineServerAction({
  requiredRole: "member",
  fields: z.object({ firstName: firstNameField() }),
  async run({ input, write }) {
    await write((sql, { id }) => changeFirstName(sql, { userId: id, name: input.firstName }));
    refresh();
    return `You are ${input.firstName} from now on.`;
  },
});

export const revokeSession = defineServerAction({
  requiredRole: "member",
  fields: z.object({ session: z.string({ error: "The session is missing." }).max(100) }),
  async run({ input, write }) {
    await write((sql, { id }) => deleteSession(sql, { userId: id, handle: input.session }));
    refresh();
    return "That session has ended.";
  },
});

export const revokeOtherSessions = defineServerAction({
  requiredRole: "member",
  fields: z.object({}),
  async run({ write }) {
    const ended = await write((sql, { id, sessionKey }) =>
      deleteOtherSessions(sql, { userId: id, sessionKey }),
    );
    refresh();
    return ended === 1 ? "One other session has ended." : `${ended} other sessions have ended.`;
  },
});

export const renamePasskey = defineServerAction({
  requiredRole: "member",
  fields: z.object({ id: passkeyId, name: singleLineField({ label: "The name", maxLength: 60 }) }),
  async run({ input, write }) {
    await write((sql, { id }) =>
      updatePasskeyName(sql, { id: input.id, userId: id, name: input.name }),
    );
    refresh();
    return "Renamed.";
  },
});

export const removePasskey = defineServerAction({
  requiredRole: "member",
  fields: z.object({ id: passkeyId }),
  async run({ input, write }) {
    await write((sql, { id }) => deletePasskey(sql, { id: input.id, userId: id }));
    refresh();
    return "The passkey is removed. Nobody logs in with it any more.";
  },
});

// One per process, also where development loads this module anew.
const shared = globalThis as { __lecternDeviceCodes?: RateLimiter };

export const showDeviceCode = defineServerAction({
  requiredRole: "member",
  fields: z.object({}),
  async run({ member, write }) {
    shared.__lecternDeviceCodes ??= new RateLimiter(30, 10 * MINUTE_MS);
    consume(
      [[shared.__lecternDeviceCodes, member.id]],
      nowMs(),
      "Too many codes. Wait some minutes.",
    );
    const { token } = await write((sql, { id }) => createDeviceLink(sql, id));
    await setDeviceLinkCookie(token);
    redirect("/me/device");
  },
});

export const logOut = defineServerAction({
  requiredRole: "anyone",
  fields: z.object({}),
  async run({ sessionIds, write }) {
    const { sessionKey } = sessionIds;
    if (sessionKey) await write((sql) => deleteSessionByKey(sql, sessionKey));
    await clearSessionCookie();
    // A document of its own: the pages outside have another policy than those of members.
    redirect(loginRedirectUrl("/"));
  },
});
