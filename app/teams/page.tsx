// /teams: renders the team standings, their history and recent lead changes.

import type { Metadata } from "next";
import { connection } from "next/server";
import { PersonalPart } from "#components/ui/personal-part.tsx";
import { readSessionCookies } from "#lib/members/viewer.ts";
import { feedAlternates } from "#lib/posts/feeds/feed-paths.ts";
import { TEAMS } from "#lib/reading/team.ts";
import { listTeamNames } from "#lib/reading/team-profile.ts";
import { loadTeamsParts } from "./teams-parts.tsx";

export async function generateMetadata(): Promise<Metadata> {
  // Rendered per request, since the owner may rename the teams.
  await connection();
  return {
    title: "Teams",
    description: `${listTeamNames(TEAMS, "and")}: the standings of the three teams of readers, now and over the last six months.`,
    alternates: { canonical: "/teams", types: feedAlternates },
  };
}

export default async function TeamsPage() {
  await connection();
  const { teams } = await loadTeamsParts(await readSessionCookies());
  return <PersonalPart name="teams">{teams}</PersonalPart>;
}
