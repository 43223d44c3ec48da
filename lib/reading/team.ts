// Teams and roles: the database keeps them as text, these helpers give the types back.

/** Every team, in the order in which they are listed and in which ties are resolved. */
export const TEAMS = ["RED", "BLUE", "YELLOW"] as const;
export type Team = (typeof TEAMS)[number];

export const ROLES = ["ADMIN", "MEMBER"] as const;
export type Role = (typeof ROLES)[number];

/** Whether `value` is a team; false for anything else, undefined too. */
export function isTeam(value: unknown): value is Team {
  return (TEAMS as readonly unknown[]).includes(value);
}

/** Whether `value` is a role; false for anything else, undefined too. */
export function isRole(value: unknown): value is Role {
  return (ROLES as readonly unknown[]).includes(value);
}

/** The team that `value` names, or null. */
export function parseTeam(value: unknown): Team | null {
  return isTeam(value) ? value : null;
}

/** The team that `value` names, or 'UNKNOWN': the team of whoever is not a member. */
export function getOptionalTeam(value: unknown): Team | "UNKNOWN" {
  return isTeam(value) ? value : "UNKNOWN";
}
