// Lists the values of text columns that are unions in TypeScript, and parses them when a row is read.
// A CHECK in prisma/migrations guarantees the same for writes.

import { Prisma } from "../../prisma/generated/client.ts";

/** Every team, in the order of lists and of ties. */
export const TEAMS = ["RED", "BLUE", "YELLOW"] as const;
export type Team = (typeof TEAMS)[number];

export const ROLES = ["ADMIN", "MEMBER"] as const;
export type Role = (typeof ROLES)[number];

export const CALL_STATES = ["NEW", "REVIEWING", "ANSWERED", "PUBLISHED", "DECLINED"] as const;
export type CallState = (typeof CALL_STATES)[number];

export const DELIVERY_KINDS = ["MAIL", "NEWSLETTER", "DISCORD"] as const;
export type DeliveryKind = (typeof DELIVERY_KINDS)[number];

/** Returns `value` if `values` has it. Throws TypeError that names the column otherwise. */
function parseColumn<T extends string>(values: readonly T[], value: string, column: string): T {
  if ((values as readonly string[]).includes(value)) return value as T;
  throw new TypeError(`${column} is ${JSON.stringify(value)}, not one of ${values.join(", ")}.`);
}

/** Replaces the text of these columns in every result, also in relations. */
export const columnValues = Prisma.defineExtension({
  name: "column-values",
  result: {
    user: {
      role: { needs: { role: true }, compute: ({ role }) => parseColumn(ROLES, role, "User.role") },
      team: { needs: { team: true }, compute: ({ team }) => parseColumn(TEAMS, team, "User.team") },
    },
    ownershipChange: {
      team: {
        needs: { team: true },
        compute: ({ team }) =>
          team === null ? null : parseColumn(TEAMS, team, "OwnershipChange.team"),
      },
    },
    callReview: {
      state: {
        needs: { state: true },
        compute: ({ state }) => parseColumn(CALL_STATES, state, "CallReview.state"),
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
