"use server";
// Signing up: a first name and a team make a member of an address that was proven.

import { redirect } from "next/navigation";
import { z } from "zod";
import { beginSession, setSessionCookie } from "../login/begin-session.ts";
import { clearBriefCookie, readBriefCookie } from "../login/brief-cookie.ts";
import { afterLogin } from "../login/let-in.ts";
import { formAction } from "#lib/action/form-action.ts";
import { AppError } from "#lib/base/errors.ts";
import { line } from "#lib/base/fields.ts";
import { createMember } from "#lib/members/sign-up.ts";
import { kickDeliveries } from "#lib/outbox/outbox.ts";
import { redirectTarget } from "#lib/session/redirect-target.ts";
import { TEAMS } from "#lib/teams/team.ts";

export const signUp = formAction({
  who: "anyone",
  fields: z.object({
    firstName: line({ name: "The first name", max: 60 }),
    team: z.enum(TEAMS, { error: "Choose one of the three teams." }),
  }),
  async run({ input, member, identity, request, write }) {
    const cookie = await readBriefCookie("signup");
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
        return beginSession(sql, { userId, identity, request });
      },
      { durable: true },
    );
    await setSessionCookie(begun);
    kickDeliveries();
    await clearBriefCookie("signup");
    // Who came to log in and nothing else is welcomed on their own page.
    redirect(
      afterLogin(cookie.next === redirectTarget(null) ? `${cookie.next}?welcome` : cookie.next),
    );
  },
});
