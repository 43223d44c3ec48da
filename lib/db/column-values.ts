// Types text columns as unions. A Prisma extension checks each value on read; CHECK constraints in
// prisma/migrations check it on write.

import { Prisma } from "../../prisma/generated/client.ts";

/** Every team, in display order. Ties are also in this order. */
export const TEAMS = ["RED", "BLUE", "YELLOW"] as const;
export type Team = (typeof TEAMS)[number];

export const ROLES = ["ADMIN", "MEMBER"] as const;
export type Role = (typeof ROLES)[number];

export const CALL_STATES = ["NEW", "REVIEWING", "ANSWERED", "PUBLISHED", "DECLINED"] as const;
export type CallState = (typeof CALL_STATES)[number];

export const DELIVERY_KINDS = ["MAIL", "NEWSLETTER", "DISCORD"] as const;

export const ISSUE_STATES = ["DRAFT", "SCHEDULED", "SENDING", "SENT", "CANCELED"] as const;
export type IssueState = (typeof ISSUE_STATES)[number];

/** Returns `value` if it is one of `values`. Otherwise throws a TypeError that names the column. */
function parseColumn<T extends string>(values: readonly T[], value: string, column: string): T {
  if ((values as readonly string[]).includes(value)) return value as T;
  throw new TypeError(`${column} is ${JSON.stringify(value)}, not one of ${values.join(", ")}.`);
}

/** Types these columns in all results, including relations. */
export const columnValues = Prisma.defineExtension({
  name: "column-values",
  result: {
    user: {
      role: { needs: { role: true }, compute: ({ role }) => parseColumn(ROLES, role, "User.role") },
      team: { needs: { team: true }, compute: ({ team }) => parseColumn(TEAMS, team, "User.team") },
    },
    leadChange: {
      team: {
        needs: { team: true },
        compute: ({ team }) => (team === null ? null : parseColumn(TEAMS, team, "LeadChange.team")),
      },
    },
    callReview: {
      state: {
        needs: { state: true },
        compute: ({ state }) => parseColumn(CALL_STATES, state, "CallReview.state"),
      },
    },
    newsletterIssue: {
      state: {
        needs: { state: true },
        compute: ({ state }) => parseColumn(ISSUE_STATES, state, "NewsletterIssue.state"),
      },
    },
    delivery: {
      kind: {
        needs: { kind: true },
        compute: ({ kind }) => parseColumn(DELIVERY_KINDS, kind, "Delivery.kind"),
      },
    },
  },
});
