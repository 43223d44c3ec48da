// Formats the details of an audit log entry.

import { parseTeam } from "#lib/reading/team.ts";
import { teamName } from "#lib/reading/team-profile.ts";
import { formatBytes, formatDuration } from "#lib/core/format.ts";

const VALUE_LABELS: Readonly<Record<string, string>> = {
  MEMBER: "member",
  ADMIN: "admin",
  MAIL: "email",
  NEWSLETTER: "newsletter",
  DISCORD: "Discord",
};
function labelValue(value: unknown): string {
  const team = parseTeam(value);
  return team ? teamName(team) : (VALUE_LABELS[String(value)] ?? String(value));
}
const pluralize = (count: unknown, one: string, many: string) =>
  `${String(count)} ${count === 1 ? one : many}`;
const formatEndedSessions = (value: unknown) => `${pluralize(value, "session", "sessions")} ended`;

const DETAIL_FORMATTERS: Readonly<Record<string, (value: unknown) => string>> = {
  durationMs: (value) => `${formatDuration(Number(value))} long`,
  bytes: (value) => formatBytes(Number(value)),
  number: (value) => (value === null ? "" : `episode ${String(value)}`),
  isJoined: (value) => (value ? "in one file" : "in two files"),
  days: (value) => `for ${pluralize(value, "day", "days")}`,
  name: () => "name changed",
  sessions: formatEndedSessions,
  ended: formatEndedSessions,
  kind: labelValue,
  tries: (value) => `tried ${pluralize(value, "time", "times")}`,
};

/** Returns text such as "0:05 long, 441.1 kB" or "role member → admin". Unknown details are shown as stored. */
export function formatAuditDetail(detail: Readonly<Record<string, unknown>>): string {
  return Object.entries(detail)
    .map(([name, value]) => {
      const { from, to } = (typeof value === "object" && value !== null ? value : {}) as {
        from?: unknown;
        to?: unknown;
      };
      if (from !== undefined || to !== undefined)
        return `${name} ${labelValue(from)} → ${labelValue(to)}`;
      if (Object.hasOwn(DETAIL_FORMATTERS, name)) return DETAIL_FORMATTERS[name]!(value);
      return `${name}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`;
    })
    .filter(Boolean)
    .join(", ");
}
