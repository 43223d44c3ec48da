// /me: renders a member's account. Everything except adding a passkey works without JavaScript.

import type { Metadata } from "next";
import Link from "next/link";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import {
  changeConsent,
  logOut,
  removeSavedPost,
  showDeviceCode,
  updateFirstName,
} from "./actions.ts";
import { chooseTopics } from "#app/unsubscribe/actions.ts";
import { PasskeyList } from "./passkey-list.tsx";
import { SessionList } from "./session-list.tsx";
import { ConsentSection } from "#components/member/consent-section.tsx";
import { TopicFields } from "#components/member/topic-fields.tsx";
import { ContinueList, HistoryList, SavedList } from "#components/member/reading-lists.tsx";
import { MeSection } from "#components/member/me-section.tsx";
import { Timestamp } from "#components/ui/timestamp.tsx";
import { AddPasskeyButton } from "#components/member/add-passkey-button.tsx";
import { TeamDot } from "#components/team/team-dot.tsx";
import { teamName } from "#lib/reading/team-profile.ts";
import { ActionForm } from "#components/ui/action-form.tsx";
import { FocusOnSuccess } from "#components/ui/focus-on-success.tsx";
import { Field } from "#components/ui/form-fields.tsx";
import { ActionButton, SubmitButton } from "#components/ui/submit-button.tsx";
import { siteConfig } from "#lib/core/site-config.ts";
import { HOUR_MS, nowMs } from "#lib/core/clock.ts";
import { type Member, isRecentLogin } from "#lib/members/member.ts";
import { type Tx, read } from "#lib/db/database.ts";
import { type ListedPasskey, listPasskeys } from "#lib/members/passkeys.ts";
import { offeredPurposes } from "#lib/members/consent.ts";
import { newsletterChannel } from "#lib/members/newsletter-channel.ts";
import { signUnsubscribeToken } from "#lib/members/subscription-token.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { type PostIndex, countedSlug, findPost } from "#lib/posts/post.ts";
import { listTopics } from "#lib/posts/topics.ts";
import { type Profile, getProfile } from "#lib/members/profile.ts";
import { listSessions } from "#lib/members/sessions.ts";
import { listReadSlugs } from "#lib/reading/read-slugs.sql.ts";
import { type HistoryPage, listReadingHistory } from "#lib/reading/reading-history.ts";
import { listOpenPlaces } from "#lib/reading/reading-place.ts";
import { listSavedSlugs } from "#lib/reading/saved-posts.ts";
import { type SessionIds, resolveViewer, readSessionCookies } from "#lib/members/viewer.ts";
import { type Standing, getStandings } from "#lib/reading/standings.ts";
import { pluralize } from "#lib/core/format.ts";
import { type Team, parseTeam } from "#lib/reading/team.ts";

export const metadata: Metadata = { title: "Your account", robots: { index: false } };

/** A member is welcomed this long after they signed up. */
const WELCOME_MS = HOUR_MS;

const RECENT_COUNT = 5;

const REMOVE_SAVED_FORM_ID = "remove-saved-post";

const RANKS = ["first", "second", "third"];

/** Returns "in first place" or "tied for first place". */
function describePlace(standings: readonly Standing[], score: number): string {
  const rank = standings.filter(({ readsPerMember }) => readsPerMember > score).length;
  const isTied = standings.filter(({ readsPerMember }) => readsPerMember === score).length > 1;
  return `${isTied ? "tied for" : "in"} ${RANKS[rank]} place`;
}

async function readAccountPage(tx: Tx, sessionIds: SessionIds, index: PostIndex) {
  const { member } = await resolveViewer(tx, sessionIds);
  if (!member) return null;
  return {
    member,
    profile: await getProfile(tx, member.id),
    readSlugs: listReadSlugs(tx, { member, clientId: null }),
    places: await listOpenPlaces(tx, {
      userId: member.id,
      limit: RECENT_COUNT,
      countedSlugOf: (slug) => countedSlug(index, slug),
    }),
    savedSlugs: await listSavedSlugs(tx, member.id),
    history: await listReadingHistory(tx, {
      userId: member.id,
      pageSize: RECENT_COUNT,
      nowMs: nowMs(),
    }),
    standings: getStandings(tx, { slug: null, nowMs: nowMs() }),
    passkeys: await listPasskeys(tx, member.id),
    sessions: await listSessions(tx, { userId: member.id, sessionKey: member.sessionKey }),
  };
}

/** `rank` starts at 0; -1 for a team without reads. */
function TeamStanding({
  team,
  place,
  postCount,
}: {
  team: Team | null;
  /** null if the team has no reads. */
  place: string | null;
  postCount: number;
}) {
  return (
    <p className="lead">
      {team && siteConfig.features.teams && (
        <>
          Your team,{" "}
          <span className="me-team">
            <TeamDot team={team} /> {teamName(team)}
          </span>
          , {place ? `is ${place}` : "hasn’t read anything yet"}.{" "}
        </>
      )}
      {postCount === 0
        ? "You haven’t finished a post yet."
        : `You’ve finished ${pluralize(postCount, "post")}.`}{" "}
      {siteConfig.features.teams && <a href="/teams">Team standings</a>}
    </p>
  );
}

/** Welcomes a new member, and mentions the posts that they read before they signed up. */
function Welcome({ postCount }: { postCount: number }) {
  return (
    <p>
      {postCount === 0
        ? "You’re in."
        : `Welcome! We’ve added the ${postCount === 1 ? "post" : `${postCount} posts`} you’d already read.`}{" "}
      <a href="/blog">Read a post</a>
      {siteConfig.features.calls && (
        <>
          {" "}
          or <a href="/calls/record">leave a call</a>
        </>
      )}
      .
    </p>
  );
}

function NameSection({
  member,
  profile,
  team,
}: {
  member: Member;
  profile: Profile;
  team: Team | null;
}) {
  return (
    <MeSection id="name" title={siteConfig.features.teams ? "Name and team" : "Name"}>
      <ActionForm action={updateFirstName} className="form" loginNext="/me">
        <Field
          name="firstName"
          label="First name"
          hint={siteConfig.features.calls ? "Shown next to your published calls." : undefined}
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
        Email: {profile.email} · Member since <Timestamp ms={profile.createdAt.getTime()} day />
        {team && siteConfig.features.teams && ` · Team: ${teamName(team)}`}
      </p>
    </MeSection>
  );
}

function SavedSection({
  index,
  savedSlugs,
  readSlugs,
}: {
  index: PostIndex;
  savedSlugs: readonly string[];
  readSlugs: ReadonlySet<string>;
}) {
  return (
    <MeSection id="saved" title="Saved posts">
      {savedSlugs.length === 0 ? (
        <p>You haven’t saved a post yet. Each post has a “Save for later” button.</p>
      ) : (
        <SavedList
          index={index}
          slugs={savedSlugs}
          readSlugs={readSlugs}
          removeForm={REMOVE_SAVED_FORM_ID}
        />
      )}
      {/* Below the list, so that its message stays after the row is removed. */}
      <ActionForm action={removeSavedPost} id={REMOVE_SAVED_FORM_ID} loginNext="/me">
        <FocusOnSuccess />
      </ActionForm>
    </MeSection>
  );
}

function HistorySection({
  index,
  history: { entries, total },
  team,
}: {
  index: PostIndex;
  history: HistoryPage;
  team: Team | null;
}) {
  return (
    <MeSection id="history" title="Reading history">
      {total === 0 ? (
        <p>You haven’t finished a post yet.</p>
      ) : (
        <HistoryList index={index} entries={entries} team={team} />
      )}
      {total > entries.length && (
        <p>
          <a className="more" href="/me/history">
            All {pluralize(total, "read")}
          </a>
        </p>
      )}
    </MeSection>
  );
}

function CallsSection({ callCount }: { callCount: number }) {
  return (
    <MeSection id="calls" title="Calls">
      <p>
        {callCount === 0
          ? "You haven’t left a call yet."
          : `You’ve left ${pluralize(callCount, "call")}.`}
      </p>
      <div className="form-actions">
        {/* Full page loads, because these pages have their own headers, one of them for the microphone. */}
        <a className="button" href="/calls/record">
          Leave a call
        </a>
        {callCount > 0 && (
          <a className="more" href="/calls/mine">
            See your calls
          </a>
        )}
      </div>
    </MeSection>
  );
}

function PasskeysSection({
  passkeys,
  canAdd,
}: {
  passkeys: readonly ListedPasskey[];
  canAdd: boolean;
}) {
  return (
    <MeSection id="passkeys" title="Passkeys">
      <p className="me-note">
        Log in with your fingerprint, face or screen lock. No email, no code, and nothing on our
        side to steal.
      </p>
      <PasskeyList passkeys={passkeys} />
      {canAdd ? (
        <AddPasskeyButton loginNext="/me" passkeyIds={passkeys.map(({ id }) => id).join()} />
      ) : (
        <p className="muted me-note">
          For security, log in again before adding a passkey.{" "}
          <a href="/login?next=/me">Log in again</a>
        </p>
      )}
    </MeSection>
  );
}

export default async function Page({
  searchParams,
}: {
  searchParams: Promise<{ welcome?: string | string[] }>;
}) {
  await connection();
  const sessionIds = await readSessionCookies();
  const index = await getIndex();
  const account = await read((tx) => readAccountPage(tx, sessionIds, index));
  if (!account) redirect("/login?next=/me");
  const { member, profile, passkeys, sessions, readSlugs } = account;
  const postCount = readSlugs.size;
  const places = account.places.filter(({ slug }) => findPost(index, slug));
  // Not to someone who opens the address again later.
  const isNew =
    (await searchParams).welcome !== undefined &&
    nowMs() - profile.createdAt.getTime() < WELCOME_MS;
  const team = parseTeam(member.team);
  const score = account.standings.find((standing) => standing.team === team)?.readsPerMember ?? 0;
  return (
    <div className="wrap">
      <header className="page-head me-head">
        <h1>{member.firstName}</h1>
        {isNew && <Welcome postCount={postCount} />}
        <TeamStanding
          team={team}
          place={score > 0 ? describePlace(account.standings, score) : null}
          postCount={postCount}
        />
        <div className="form-actions">
          <ActionButton action={logOut}>Log out</ActionButton>
          {member.role === "ADMIN" && (
            <a className="more" href="/admin">
              Admin
            </a>
          )}
        </div>
      </header>
      <div className="desk">
        {places.length > 0 && (
          <MeSection id="continue" title="Continue reading">
            <ContinueList index={index} places={places} />
          </MeSection>
        )}
        <SavedSection index={index} savedSlugs={account.savedSlugs} readSlugs={readSlugs} />
        <HistorySection index={index} history={account.history} team={team} />
        <NameSection member={member} profile={profile} team={team} />
        <ConsentSection
          action={changeConsent}
          purposes={offeredPurposes()}
          consents={profile.consents}
          isSubscribed={profile.isSubscribed}
        >
          {profile.subscriber && newsletterChannel() === "site" && (
            <ActionForm action={chooseTopics} className="form" loginNext="/me">
              <input
                type="hidden"
                name="token"
                value={signUnsubscribeToken(profile.subscriber.id)}
              />
              <TopicFields topics={listTopics(index)} chosen={profile.subscriber.topics} />
              <div className="form-actions">
                <SubmitButton kind="plain">Save topics</SubmitButton>
              </div>
            </ActionForm>
          )}
        </ConsentSection>
        {siteConfig.features.calls && <CallsSection callCount={profile.callCount} />}
        <PasskeysSection passkeys={passkeys} canAdd={isRecentLogin(member)} />
        <MeSection id="sessions" title="Devices">
          <SessionList sessions={sessions} />
        </MeSection>
        <MeSection id="device" title="Log in on another device">
          <p className="me-note">Scan a QR code with your phone or tablet.</p>
          <ActionButton action={showDeviceCode} loginNext="/me">
            Show QR code
          </ActionButton>
        </MeSection>
        <MeSection id="data" title="Your data">
          <p className="me-note">
            Download everything we store about you as JSON: your profile, devices, saved posts
            {siteConfig.features.calls
              ? ", reading history and calls with their recordings."
              : " and reading history."}
          </p>
          <p>
            <a className="button" href="/me/data" download>
              Download my data
            </a>
          </p>
          <p className="me-note">
            <Link href="/me/delete">Delete account</Link>
          </p>
        </MeSection>
      </div>
    </div>
  );
}
