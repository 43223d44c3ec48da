// /signup: the first name and the team of somebody whose address was proven.

import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import { readLoginFlowCookie } from "#lib/members/cookies/login-flow-cookie.ts";
import { signUp } from "./actions.ts";
import { shuffleTeams } from "./shuffle-teams.ts";
import { TeamChoice } from "#components/member/team-choice.tsx";
import { ActionForm, Field, SubmitButton } from "#components/ui/action-form.tsx";
import { readSql } from "#lib/db/database.ts";
import { findPendingSignup } from "#lib/members/sign-up.ts";
import { getViewer } from "#lib/members/session/session.ts";

export const metadata: Metadata = { title: "Sign up", robots: { index: false } };

export default async function Page() {
  await connection();
  const cookie = await readLoginFlowCookie("signup");
  const pending = cookie && (await readSql((sql) => findPendingSignup(sql, cookie)));
  if (!cookie || !pending) redirect((await getViewer()).member ? "/me" : "/login");
  return (
    <div className="wrap entry">
      <header className="page-head">
        <h1>Welcome. Who are you?</h1>
        <p className="lead">
          <strong className="entry-address">{pending.email}</strong> is new here. Two things, and
          you are in.
        </p>
      </header>
      <div className="entry-body">
        <ActionForm action={signUp} className="form">
          <Field
            name="firstName"
            label="Your first name"
            hint="Shown where you call in. You can change it."
            autoComplete="given-name"
            required
            maxLength={60}
          />
          <TeamChoice order={shuffleTeams(cookie.browserId)} />
          <SubmitButton>Join</SubmitButton>
        </ActionForm>
      </div>
    </div>
  );
}
