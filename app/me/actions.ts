"use server";
// What a member does on /me.

import { refresh } from "next/cache";
import { redirect } from "next/navigation";
import { z } from "zod";
import { afterLogin } from "../login/let-in.ts";
import { clearSessionCookie } from "./clear-session-cookie.ts";
import { setCodeCookie } from "./device/code-cookie.ts";
import { formAction } from "#lib/action/form-action.ts";
import { MINUTE_MS, nowMs } from "#lib/base/clock.ts";
import { line } from "#lib/base/fields.ts";
import { Limit, takeAll } from "#lib/base/limit.ts";
import { createDeviceLink } from "#lib/members/device-link.ts";
import { removePasskey, renamePasskey } from "#lib/members/passkeys.ts";
import { changeFirstName, firstName } from "#lib/members/profile.ts";
import { endOtherSessions, endOwnSession, endSession } from "#lib/members/sessions.ts";

const passkeyId = z.string({ error: "The passkey is missing." }).min(1).max(1_364);

export const changeName = formAction({
  who: "member",
  fields: z.object({ firstName: firstName() }),
  async run({ input, write }) {
    await write((sql, { id }) => changeFirstName(sql, { userId: id, name: input.firstName }));
    refresh();
    return `You are ${input.firstName} from now on.`;
  },
});

export const endOne = formAction({
  who: "member",
  fields: z.object({ session: z.string({ error: "The session is missing." }).max(100) }),
  async run({ input, write }) {
    await write((sql, { id }) => endSession(sql, { userId: id, handle: input.session }));
    refresh();
    return "That session has ended.";
  },
});

export const endOthers = formAction({
  who: "member",
  fields: z.object({}),
  async run({ write }) {
    const ended = await write((sql, { id, sessionKey }) =>
      endOtherSessions(sql, { userId: id, sessionKey }),
    );
    refresh();
    return ended === 1 ? "One other session has ended." : `${ended} other sessions have ended.`;
  },
});

export const renameOne = formAction({
  who: "member",
  fields: z.object({ id: passkeyId, name: line({ name: "The name", max: 60 }) }),
  async run({ input, write }) {
    await write((sql, { id }) =>
      renamePasskey(sql, { id: input.id, userId: id, name: input.name }),
    );
    refresh();
    return "Renamed.";
  },
});

export const removeOne = formAction({
  who: "member",
  fields: z.object({ id: passkeyId }),
  async run({ input, write }) {
    await write((sql, { id }) => removePasskey(sql, { id: input.id, userId: id }));
    refresh();
    return "The passkey is removed. Nobody logs in with it any more.";
  },
});

// One per process, also where development loads this module anew.
const shared = globalThis as { __lecternDeviceCodes?: Limit };

export const showCode = formAction({
  who: "member",
  fields: z.object({}),
  async run({ member, write }) {
    shared.__lecternDeviceCodes ??= new Limit(30, 10 * MINUTE_MS);
    takeAll(
      [[shared.__lecternDeviceCodes, member.id]],
      nowMs(),
      "Too many codes. Wait some minutes.",
    );
    const { token } = await write((sql, { id }) => createDeviceLink(sql, id));
    await setCodeCookie(token);
    redirect("/me/device");
  },
});

export const logOut = formAction({
  who: "anyone",
  fields: z.object({}),
  async run({ identity, write }) {
    const { sessionKey } = identity;
    if (sessionKey) await write((sql) => endOwnSession(sql, sessionKey));
    await clearSessionCookie();
    // A document of its own: the pages outside have another policy than those of members.
    redirect(afterLogin("/"));
  },
});
