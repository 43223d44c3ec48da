// /me: a member's own page. Everything on it works without scripts but adding a passkey.

import type { Metadata } from "next";
import Link from "next/link";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import { updateFirstName, logOut, showDeviceCode } from "./actions.ts";
import { PasskeyList } from "./passkey-list.tsx";
import { SessionList } from "./session-list.tsx";
import { MeSection } from "#components/member/me-section.tsx";
import { Timestamp } from "#components/ui/timestamp.tsx";
import { AddPasskeyButton } from "#components/member/add-passkey-button.tsx";
import { TEAM_NAMES, TeamDot } from "#components/team/team-dot.tsx";
import { ActionButton, ActionForm, Field, SubmitButton } from "#components/ui/action-form.tsx";
import { nowMs } from "#lib/core/clock.ts";
import { isRecentLogin } from "#lib/core/member.ts";
import type { Sql } from "#lib/db/connection.ts";
import { readSql } from "#lib/db/database.ts";
import { listPasskeys } from "#lib/members/passkeys.ts";
import { getProfile } from "#lib/members/profile.ts";
import { listSessions } from "#lib/members/sessions.ts";
import { listReadSlugs } from "#lib/reading/read-totals.ts";
import {
  type SessionIds,
  resolveViewer,
  readSessionCookies,
} from "#lib/members/session/session.ts";
import { getStandings } from "#lib/reading/standings.ts";
import { type Team, parseTeam } from "#lib/reading/team.ts";

export const metadata: Metadata = { title: "Your account", robots: { index: false } };

const RANKS = ["first", "second", "third"];

function readAccountPage(sql: Sql, identity: SessionIds) {
  const { member } = resolveViewer(sql, identity);
  if (!member) return null;
  return {
    member,
    profile: getProfile(sql, member.id),
    read: listReadSlugs(sql, { member, clientId: null }).size,
    standings: getStandings(sql, { slug: null, nowMs: nowMs() }),
    passkeys: listPasskeys(sql, member.id),
    sessions: listSessions(sql, { userId: member.id, sessionKey: member.sessionKey }),
  };
}

function TeamStanding({ team, place, posts }: { team: Team | null; place: number; posts: number }) {
  const reading =
    posts === 0
      ? "You have read no post to its end yet."
      : posts === 1
        ? "You have read one post to its end."
        : `You have read ${posts} posts to their end.`;
  return (
    <p className="lead">
      {team && (
        <>
          <span className="me-team">
            <TeamDot team={team} /> {TEAM_NAMES[team]}
          </span>
          , your team,{" "}
          {place >= 0 ? `stands ${RANKS[place]} of the three` : "waits for its first read"}.{" "}
        </>
      )}
      {reading} <a href="/teams">How the teams stand</a>
    </p>
  );
}

/** For somebody who has just signed up: what they brought along, and what there is to do. */
function Welcome({ posts }: { posts: number }) {
  return (
    <p>
      Welcome
      {posts > 0 && `, with the ${posts === 1 ? "post" : `${posts} posts`} you had read already`}.
      Go on to <a href="/blog">read a post</a> or to <a href="/calls/record">leave a call</a>.
    </p>
  );
}

export default async function Page({
  searchParams,
}: {
  searchParams: Promise<{ welcome?: string | string[] }>;
}) {
  await connection();
  const identity = await readSessionCookies();
  const found = await readSql((sql) => readAccountPage(sql, identity));
  if (!found) redirect("/login?next=/me");
  const { member, profile, passkeys, sessions } = found;
  const isNew = (await searchParams).welcome !== undefined;
  const team = parseTeam(member.team);
  const place = found.standings.findIndex(
    (standing) => standing.team === team && standing.ratio > 0,
  );
  return (
    <div className="wrap">
      <header className="page-head me-head">
        <h1>{member.firstName}</h1>
        {isNew && <Welcome posts={found.read} />}
        <TeamStanding team={team} place={place} posts={found.read} />
        <div className="form-actions">
          <ActionButton action={logOut}>Log out</ActionButton>
          {member.role === "ADMIN" && (
            <a className="more" href="/admin">
              The admin pages
            </a>
          )}
        </div>
      </header>
      <div className="desk">
        <MeSection id="name" title="Name and team">
          <ActionForm action={updateFirstName} className="form" loginNext="/me">
            <Field
              name="firstName"
              label="First name"
              hint="What the site calls you, and what stands beside a call of yours when it is published."
              defaultValue={member.firstName}
              autoComplete="given-name"
              maxLength={200}
              required
            />
            <div className="form-actions">
              <SubmitButton kind="plain">Save</SubmitButton>
            </div>
          </ActionForm>
          <p className="muted me-note">
            You log in as {profile.email}, a member since <Timestamp ms={profile.createdAt} day />.{" "}
            {team && <>Your team is {TEAM_NAMES[team]}; it can’t be changed.</>}
          </p>
        </MeSection>

        <MeSection id="calls" title="Calls">
          <p>
            {profile.calls === 0
              ? "You have left no call yet."
              : profile.calls === 1
                ? "You have left one call."
                : `You have left ${profile.calls} calls.`}
          </p>
          <div className="form-actions">
            {/* Not by Next's own way: each of these pages has headers of its own, one of them the microphone. */}
            <a className="button" href="/calls/record">
              Leave a call
            </a>
            {profile.calls > 0 && (
              <a className="more" href="/calls/mine">
                Your calls and where they stand
              </a>
            )}
          </div>
        </MeSection>

        <MeSection id="passkeys" title="Passkeys">
          <p className="me-note">
            A passkey logs you in with your finger, your face or the lock of your device. No mail,
            nothing to type, and nothing that anybody could steal from us.
          </p>
          <PasskeyList passkeys={passkeys} />
          {isRecentLogin(member) ? (
            <AddPasskeyButton loginNext="/me" />
          ) : (
            <p className="muted me-note">
              Whoever has a passkey of yours is you, so adding one wants a log-in of the last
              fifteen minutes. <a href="/login?next=/me">Log in again</a>
            </p>
          )}
        </MeSection>

        <MeSection id="sessions" title="Where you are logged in">
          <SessionList sessions={sessions} />
        </MeSection>

        <MeSection id="device" title="Another device">
          <p className="me-note">
            A code on this screen logs you in on a phone or a tablet: point its camera at it.
          </p>
          <ActionButton action={showDeviceCode} loginNext="/me">
            Show a code
          </ActionButton>
        </MeSection>

        <MeSection id="data" title="Your data">
          <p className="me-note">
            Everything this site knows of you, in one file (JSON): your profile, where you are
            logged in, what you have read, your calls with their recordings.
          </p>
          <p>
            <a className="button" href="/me/data" download>
              Download my data
            </a>
          </p>
          <p className="me-note">
            You can also <Link href="/me/delete">delete your account</Link>, with all of that, for
            good.
          </p>
        </MeSection>
      </div>
    </div>
  );
}
