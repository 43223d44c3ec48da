// Names and describes the teams as the owner of the site does.

import { siteConfig } from "#lib/core/site-config.ts";
import type { Team } from "./team.ts";

const DEFAULTS: Readonly<Record<Team, { readonly name: string; readonly tagline: string }>> = {
  RED: { name: "Red", tagline: "For people who finish what they start, and start the next one." },
  BLUE: { name: "Blue", tagline: "For people who read slowly, check twice and run the code." },
  YELLOW: {
    name: "Yellow",
    tagline: "For people who start in the middle and follow every link.",
  },
};

export const teamName = (team: Team): string => siteConfig.teams[team]?.name ?? DEFAULTS[team].name;
/** Returns the sentence about the team that new members see. */
export const teamTagline = (team: Team): string =>
  siteConfig.teams[team]?.tagline ?? DEFAULTS[team].tagline;

/** Returns "Red, Blue or Yellow"; a single team's name alone. */
export function listTeamNames(teams: readonly Team[], conjunction: "and" | "or"): string {
  const names = teams.map(teamName);
  const last = names.pop() ?? "";
  return names.length > 0 ? `${names.join(", ")} ${conjunction} ${last}` : last;
}
