"use server";
// The button that a code leads to.

import { redirect } from "next/navigation";
import { z } from "zod";
import { beginSession, setSessionCookie } from "../begin-session.ts";
import { formAction } from "#lib/action/form-action.ts";
import { MINUTE_MS, nowMs } from "#lib/base/clock.ts";
import { Limit, takeAll } from "#lib/base/limit.ts";
import { clientOf } from "#lib/base/network.ts";
import { hashSessionId } from "#lib/base/session-key.ts";
import { markUnproven, spendDeviceLink } from "#lib/members/device-link.ts";

// One per process, also where development loads this module anew.
const shared = globalThis as { __lecternDeviceLogins?: Limit };

export const logInHere = formAction({
  who: "anyone",
  secret: ["token"],
  fields: z.object({ token: z.string({ error: "The code is missing." }).max(100) }),
  async run({ input, identity, request, address, write }) {
    shared.__lecternDeviceLogins ??= new Limit(30, 10 * MINUTE_MS);
    takeAll(
      [[shared.__lecternDeviceLogins, address ? clientOf(address) : "unknown"]],
      nowMs(),
      "Too many tries. Wait some minutes, or log in by mail.",
    );
    const begun = await write(
      (sql) => {
        const { userId } = spendDeviceLink(sql, input.token);
        const session = beginSession(sql, { userId, identity, request });
        markUnproven(sql, hashSessionId(session.id));
        return session;
      },
      { durable: true },
    );
    await setSessionCookie(begun);
    redirect("/me");
  },
});
