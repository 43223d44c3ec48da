"use server";
// Signs up: creates the member with the address that this browser has verified.

import { randomInt } from "node:crypto";
import { redirect } from "next/navigation";
import { z } from "zod";
import { siteConfig } from "#lib/core/site-config.ts";
import { AppError } from "#lib/core/errors.ts";
import { sanitizeRedirectPath } from "#lib/http/sanitize-redirect-path.ts";
import { PURPOSES } from "#lib/members/consent.ts";
import { expireLoginFlowCookie, readLoginFlowCookie } from "#lib/members/cookies.ts";
import { logInAndClaimReads, loginRedirectUrl, setSessionCookie } from "#lib/members/log-in.ts";
import { firstNameField } from "#lib/members/profile.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { SIGNUP_EXPIRED_MESSAGE, createMember } from "#lib/members/sign-up.ts";
import { getViewer } from "#lib/members/viewer.ts";
import { TEAMS } from "#lib/reading/team.ts";

export const signUp = defineServerAction({
  requiredRole: "anyone",
  fields: z.object({
    firstName: firstNameField(),
    // Without teams on the site, members still have one, in case the owner turns them on.
    team: z.preprocess(
      (value) => (siteConfig.features.teams ? value : TEAMS[randomInt(TEAMS.length)]),
      z.enum(TEAMS, { error: "Choose one of the three teams." }),
    ),
    // Browsers don't send an unchecked box.
    NEWSLETTER: z.string().optional(),
    DISCORD: z.string().optional(),
  }),
  async run({ input, sessionIds, request, write }) {
    const cookie = await readLoginFlowCookie("signup");
    // If the form is submitted twice, the first submission may already have logged in this browser.
    if (!cookie)
      throw new AppError(
        "conflict",
        (await getViewer()).member
          ? "You’ve already signed up, and you’re logged in."
          : SIGNUP_EXPIRED_MESSAGE,
      );
    const session = await write(
      async (tx) => {
        const { userId } = await createMember(tx, {
          browserId: cookie.browserId,
          ...input,
          consents: PURPOSES.filter((purpose) => input[purpose] === "on"),
        });
        return logInAndClaimReads(tx, { userId, sessionIds, request });
      },
      { isDurable: true },
    );
    await setSessionCookie(session);
    await expireLoginFlowCookie("signup");
    // Without another destination, a new member goes to their account page.
    redirect(
      loginRedirectUrl(
        cookie.next === sanitizeRedirectPath(null) ? `${cookie.next}?welcome` : cookie.next,
      ),
    );
  },
});
