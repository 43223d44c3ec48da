"use server";
// Changes a member's own account: name, sessions, passkeys, device link, saved posts, logout.

import { refresh } from "next/cache";
import { redirect } from "next/navigation";
import { z } from "zod";
import { nowMs } from "#lib/core/clock.ts";
import { singleLineField } from "#lib/core/validate.ts";
import {
  PURPOSES,
  getConsentingMember,
  grantConsent,
  withdrawConsent,
} from "#lib/members/consent.ts";
import { deviceLinkCookie, sessionCookie } from "#lib/members/cookies.ts";
import { visitCookie } from "#lib/members/last-visit.ts";
import { createDeviceLink } from "#lib/members/device-link.ts";
import { consumeConsent, consumeDeviceLinkCreation } from "#lib/members/limiters.ts";
import { loginRedirectUrl } from "#lib/members/log-in.ts";
import { deletePasskey, updatePasskeyName } from "#lib/members/passkeys.ts";
import { changeFirstName, firstNameField } from "#lib/members/profile.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { triggerDeliveries } from "#lib/outbound/outbox/outbox.ts";
import { setPostSaved } from "#lib/reading/saved-posts.ts";
import { deleteOtherSessions, deleteSession, deleteSessionByKey } from "#lib/members/sessions.ts";

export const changeConsent = defineServerAction({
  requiredRole: "member",
  fields: z.object({
    purpose: z.enum(PURPOSES, { error: "Reload the page and try again." }),
    isGranted: z.enum(["yes", "no"], { error: "Reload the page and try again." }),
  }),
  async run({ input: { purpose, isGranted }, member, write }) {
    if (isGranted === "yes") consumeConsent(member.id);
    await write(async (tx, { id }) => {
      const member = await getConsentingMember(tx, id);
      return isGranted === "no"
        ? withdrawConsent(tx, member, purpose)
        : grantConsent(tx, member, purpose);
    });
    triggerDeliveries();
    refresh();
    if (isGranted === "yes")
      return purpose === "NEWSLETTER" ? "Subscribed." : "We’ll announce that you joined.";
    return purpose === "NEWSLETTER" ? "Unsubscribed." : "We won’t announce that you joined.";
  },
});

/** Also removes a post that the site no longer has. */
export const removeSavedPost = defineServerAction({
  requiredRole: "member",
  fields: z.object({ slug: z.string({ error: "The post is missing." }).min(1).max(300) }),
  async run({ input: { slug }, write }) {
    await write((tx, { id }) =>
      setPostSaved(tx, { userId: id, slug, isSaved: false, nowMs: nowMs() }),
    );
    refresh();
    return "Removed.";
  },
});

const passkeyId = z.string({ error: "The passkey is missing." }).min(1).max(1_364);

export const updateFirstName = defineServerAction({
  requiredRole: "member",
  fields: z.object({ firstName: firstNameField() }),
  async run({ input, write }) {
    await write((tx, { id }) => changeFirstName(tx, { userId: id, name: input.firstName }));
    refresh();
    return "Name saved.";
  },
});

export const revokeSession = defineServerAction({
  requiredRole: "member",
  fields: z.object({ session: z.string({ error: "The session is missing." }).max(100) }),
  async run({ input, write }) {
    await write((tx, { id }) => deleteSession(tx, { userId: id, handle: input.session }), {
      isDurable: true,
    });
    refresh();
    return "Logged out.";
  },
});

export const revokeOtherSessions = defineServerAction({
  requiredRole: "member",
  fields: z.object({}),
  async run({ write }) {
    const count = await write(
      (tx, { id, sessionKey }) => deleteOtherSessions(tx, { userId: id, sessionKey }),
      { isDurable: true },
    );
    refresh();
    return `Logged out of ${count} other ${count === 1 ? "device" : "devices"}.`;
  },
});

export const renamePasskey = defineServerAction({
  requiredRole: "member",
  fields: z.object({ id: passkeyId, name: singleLineField({ label: "The name", maxLength: 60 }) }),
  async run({ input, write }) {
    await write((tx, { id }) =>
      updatePasskeyName(tx, { id: input.id, userId: id, name: input.name }),
    );
    refresh();
    return "Renamed.";
  },
});

export const removePasskey = defineServerAction({
  requiredRole: "member",
  fields: z.object({ id: passkeyId }),
  async run({ input, write }) {
    await write((tx, { id }) => deletePasskey(tx, { id: input.id, userId: id }), {
      isDurable: true,
    });
    refresh();
    return "Passkey removed.";
  },
});

export const showDeviceCode = defineServerAction({
  requiredRole: "member",
  fields: z.object({}),
  async run({ member, write }) {
    consumeDeviceLinkCreation(member.id);
    const { token } = await write((tx, { id }) => createDeviceLink(tx, id));
    await deviceLinkCookie.set(token);
    redirect("/me/device");
  },
});

export const logOut = defineServerAction({
  requiredRole: "anyone",
  fields: z.object({}),
  async run({ sessionIds, write }) {
    const { sessionKey } = sessionIds;
    if (sessionKey) await write((tx) => deleteSessionByKey(tx, sessionKey), { isDurable: true });
    await sessionCookie.expire();
    await visitCookie.expire();
    redirect(loginRedirectUrl("/"));
  },
});
