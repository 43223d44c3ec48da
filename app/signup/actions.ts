"use server";
// Signing up: a first name and a team make a member of an address that was proven.

import { redirect } from "next/navigation";
import { z } from "zod";
import {
  logInAndClaimReads,
  setSessionCookie,
} from "#lib/members/session/log-in-and-claim-reads.ts";
import {
  clearLoginFlowCookie,
  readLoginFlowCookie,
} from "#lib/members/cookies/login-flow-cookie.ts";
import { loginRedirectUrl } from "#app/login/complete-login.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { AppError } from "#lib/core/errors.ts";
import { singleLineField } from "#lib/core/validate.ts";
import { createMember } from "#lib/members/sign-up.ts";
import { triggerDeliveries } from "#lib/outbound/outbox/outbox.ts";
import { sanitizeRedirectPath } from "#lib/http/sanitize-redirect-path.ts";
import { TEAMS } from "#lib/reading/team.ts";

export const signUp = defineServerAction({
  requiredRole: "anyone",
  fields: z.object({
    firstName: singleLineField({ label: "The first name", maxLength: 60 }),
    team: z.enum(TEAMS, { error: "Choose one of the three teams." }),
  }),
  async run({ input, member, sessionIds, request, write }) {
    const cookie = await readLoginFlowCookie("signup");
    // Sent twice: the first has made them a member, and this browser may have its session already.
    if (!cookie)
      throw new AppError(
        "conflict",
        member
          ? "This sign-up is finished: you are logged in."
          : "This sign-up is finished or took too long. Log in with your address to go on.",
      );
    const begun = await write(
      (sql) => {
        const { userId } = createMember(sql, { browserId: cookie.browserId, ...input });
        return logInAndClaimReads(sql, { userId, identity: sessionIds, request });
      },
      { isDurable: true },
    );
    await setSessionCookie(begun);
    triggerDeliveries();
    await clearLoginFlowCookie("signup");
    // Who came to log in and nothing else is welcomed on their own page.
    redirect(
      loginRedirectUrl(
        cookie.next === sanitizeRedirectPath(null) ? `${cookie.next}?welcome` : cookie.next,
      ),
    );
  },
});
