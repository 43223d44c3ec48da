"use server";
// Logs in on the device that scanned a QR code.

import { redirect } from "next/navigation";
import { z } from "zod";
import { hashSecret } from "#lib/core/secret.ts";
import { consumeDeviceLink, markLoginNotRecent } from "#lib/members/device-link.ts";
import { consumeDeviceLogin } from "#lib/members/limiters.ts";
import { logInAndClaimReads, setSessionCookie } from "#lib/members/log-in.ts";
import { defineServerAction } from "#lib/members/server-action.ts";

export const logInOnDevice = defineServerAction({
  requiredRole: "anyone",
  secretFields: ["token"],
  fields: z.object({ token: z.string({ error: "This link is incomplete." }).max(100) }),
  async run({ input, sessionIds, request, clientAddress, write }) {
    consumeDeviceLogin(clientAddress);
    const session = await write(
      async (tx) => {
        const { userId } = await consumeDeviceLink(tx, input.token);
        const newSession = await logInAndClaimReads(tx, { userId, sessionIds, request });
        await markLoginNotRecent(tx, hashSecret(newSession.id));
        return newSession;
      },
      { isDurable: true },
    );
    await setSessionCookie(session);
    redirect("/me");
  },
});
