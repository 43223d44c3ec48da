// /signup: asks a new member for their first name and team.

import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import { readLoginFlowCookie } from "#lib/members/cookies.ts";
import { signUp } from "./actions.ts";
import { shuffleTeams } from "./shuffle-teams.ts";
import { TeamChoice } from "#components/member/team-choice.tsx";
import { ActionForm } from "#components/ui/action-form.tsx";
import { CONSENT_LABELS } from "#components/member/consent-labels.ts";
import { CheckboxField, Field } from "#components/ui/form-fields.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import { read } from "#lib/db/database.ts";
import { offeredPurposes } from "#lib/members/consent.ts";
import { findPendingSignup } from "#lib/members/sign-up.ts";
import { teamName, teamTagline } from "#lib/reading/team-profile.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { getViewer } from "#lib/members/viewer.ts";

export const metadata: Metadata = { title: "Sign up", robots: { index: false } };

export default async function Page() {
  await connection();
  const cookie = await readLoginFlowCookie("signup");
  const pending = cookie && (await read((tx) => findPendingSignup(tx, cookie)));
  if (!cookie || !pending) redirect((await getViewer()).member ? "/me" : "/login");
  return (
    <div className="wrap entry">
      <header className="page-head">
        <h1>Welcome!</h1>
        <p className="lead">
          <strong className="entry-address">{pending.email}</strong> is new here. Just{" "}
          {siteConfig.features.teams ? "two questions" : "one question"} and you’re in.
        </p>
      </header>
      <div className="entry-body">
        <ActionForm action={signUp} className="form">
          <Field
            name="firstName"
            label="First name"
            hint={`${siteConfig.features.calls ? "Shown with your published calls. " : ""}You can change it later.`}
            autoComplete="given-name"
            required
            maxLength={60}
          />
          {siteConfig.features.teams && (
            <TeamChoice
              cards={shuffleTeams(cookie.browserId).map((team) => ({
                team,
                name: teamName(team),
                tagline: teamTagline(team),
              }))}
            />
          )}
          {offeredPurposes().map((purpose) => (
            <CheckboxField key={purpose} name={purpose} label={CONSENT_LABELS[purpose]} />
          ))}
          <p className="form-hint">
            <a href="/privacy">What we store about you</a>
          </p>
          <SubmitButton>Create account</SubmitButton>
        </ActionForm>
      </div>
    </div>
  );
}
