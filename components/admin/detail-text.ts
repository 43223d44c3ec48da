// What the log notes down with an event, in words.

import { sizeText } from "./when.tsx";
import { lengthText } from "#lib/calls/length.ts";

const NAMES: Readonly<Record<string, string>> = {
  MEMBER: "member",
  ADMIN: "admin",
  RED: "Red",
  BLUE: "Blue",
  YELLOW: "Yellow",
  MAIL: "mail",
  NEWSLETTER: "newsletter",
  DISCORD: "Discord",
};
const named = (value: unknown) => NAMES[String(value)] ?? String(value);
const counted = (count: unknown, one: string, many: string) =>
  `${String(count)} ${count === 1 ? one : many}`;
const ended = (value: unknown) => `${counted(value, "session", "sessions")} ended`;

const WORDS: Readonly<Record<string, (value: unknown) => string>> = {
  durationMs: (value) => `${lengthText(Number(value))} long`,
  bytes: (value) => sizeText(Number(value)),
  number: (value) => (value === null ? "" : `episode ${String(value)}`),
  isJoined: (value) => (value ? "in one file" : "question and answer apart"),
  name: () => "name changed",
  sessions: ended,
  ended,
  kind: named,
  tries: (value) => `tried ${counted(value, "time", "times")}`,
};

/** "0:05 long, 441.1 kB"; a change is "role member → admin". What is not known is shown as it is kept. */
export function detailText(detail: Readonly<Record<string, unknown>>): string {
  return Object.entries(detail)
    .map(([name, value]) => {
      const { from, to } = (typeof value === "object" && value !== null ? value : {}) as {
        from?: unknown;
        to?: unknown;
      };
      if (from !== undefined || to !== undefined) return `${name} ${named(from)} → ${named(to)}`;
      if (Object.hasOwn(WORDS, name)) return WORDS[name]!(value);
      return `${name}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`;
    })
    .filter(Boolean)
    .join(", ");
}
