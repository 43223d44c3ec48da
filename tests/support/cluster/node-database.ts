// Reads and seeds the databases of a cluster's nodes directly, without their sites.

import Database from "better-sqlite3";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import { insertUser } from "#tests/support/factories.ts";
import type { Cluster } from "#cli/cluster/cluster.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { createSql } from "#lib/db/connection.ts";
import { TEAMS } from "#lib/reading/team.ts";
import { readClusterSecret } from "./cluster-secret.ts";

const BUSY_TIMEOUT_MS = 10_000;

export interface SeededMember {
  readonly id: string;
  readonly email: string;
  /** The cookie value of an active session. */
  readonly session: string;
}

/** Adds members with one session each, in one transaction. Resolves when all nodes have them. */
export async function seedMembers(cluster: Cluster, count: number): Promise<SeededMember[]> {
  const primary = await cluster.waitForPrimary();
  const secret = readClusterSecret(cluster);
  const db = new Database(primary.databaseFile, { timeout: BUSY_TIMEOUT_MS });
  try {
    const sql = createSql(db);
    const sealing = db
      .transaction(() =>
        Array.from({ length: count }, (_, i) => {
          const { id, email } = insertUser(sql, { firstName: "Seeded", team: TEAMS[i % 3] });
          // The row is inserted synchronously; only the sealing of the cookie is awaited.
          return insertMemberSession(db, id, secret).then(({ value: session }) => ({
            id,
            email,
            session,
          }));
        }),
      )
      .immediate();
    const members = await Promise.all(sealing);
    await cluster.waitUntilInSync();
    return members;
  } finally {
    db.close();
  }
}

/** Returns the rows of a query on a node's copy. */
export function queryNode<Row>(node: ClusterNode, text: string): Row[] {
  const db = new Database(node.databaseFile, { readonly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    return db.prepare(text).all() as Row[];
  } finally {
    db.close();
  }
}
