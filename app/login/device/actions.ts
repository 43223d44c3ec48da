"use server";
// The button that a code leads to.

import { redirect } from "next/navigation";
import { z } from "zod";
import {
  logInAndClaimReads,
  setSessionCookie,
} from "#lib/members/session/log-in-and-claim-reads.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { RateLimiter, consume } from "#lib/core/rate-limit.ts";
import { clientKey } from "#lib/http/client-key.ts";
import { hashSessionId } from "#lib/members/session/hash-session-id.ts";
import { markLoginNotRecent, consumeDeviceLink } from "#lib/members/device-link.ts";

// One per process, also where development loads this module anew.
const shared = globalThis as { __lecternDeviceLogins?: RateLimiter };

export const logInOnDevice = defineServerAction({
  requiredRole: "anyone",
  secretFields: ["token"],
  fields: z.object({ token: z.string({ error: "The code is missing." }).max(100) }),
  async run({ input, sessionIds, request, clientAddress, write }) {
    shared.__lecternDeviceLogins ??= new RateLimiter(30, 10 * MINUTE_MS);
    consume(
      [[shared.__lecternDeviceLogins, clientAddress ? clientKey(clientAddress) : "unknown"]],
      nowMs(),
      "Too many tries. Wait some minutes, or log in by mail.",
    );
    const begun = await write(
      (sql) => {
        const { userId } = consumeDeviceLink(sql, input.token);
        const session = logInAndClaimReads(sql, { userId, identity: sessionIds, request });
        markLoginNotRecent(sql, hashSessionId(session.id));
        return session;
      },
      { isDurable: true },
    );
    await setSessionCookie(begun);
    redirect("/me");
  },
});
