// Tracks which transaction the current code runs in, and refuses queries after the transaction ends.

import { AsyncLocalStorage } from "node:async_hooks";
import type { Connection, Sql } from "./connection.ts";

/** A transaction on a connection. Queries after its end throw. */
export interface TransactionScope {
  readonly connection: Connection;
  readonly kind: "read" | "write";
  isOpen: boolean;
  /** Plain SQL on the connection; set by the first sqlOf(). */
  sql?: Sql;
  /** The database version that cachedUntilChange() read before the first query. */
  version?: string;
  /** True once a query has run. The first query determines the snapshot that all later ones see. */
  hasQueried?: boolean;
  /** SQLite's last error of a Prisma query; Prisma's own error hides it. */
  lastSqliteError?: unknown;
  /** Number of Prisma queries that were sent but have not settled. */
  pending?: number;
}

const scopes = new AsyncLocalStorage<TransactionScope>();

/** Returns the open scope that this code runs in, or undefined. */
export function currentScope(): TransactionScope | undefined {
  const scope = scopes.getStore();
  return scope?.isOpen ? scope : undefined;
}

export function runInScope<T>(scope: TransactionScope, fn: () => T): T {
  return scopes.run(scope, fn);
}

export function assertOpen(scope: TransactionScope, text: string): void {
  scope.hasQueried = true;
  if (!scope.isOpen) throw endedError(text);
}

export const endedError = (text: string) =>
  new Error(`A query ran after its transaction ended: ${text.trim().slice(0, 200)}`);

/** Wraps `sql` so that it throws after the scope ends. */
export function revocable(scope: TransactionScope, sql: Sql): Sql {
  return {
    get: (text, ...values) => (assertOpen(scope, text), sql.get(text, ...values)),
    all: (text, ...values) => (assertOpen(scope, text), sql.all(text, ...values)),
    run: (text, ...values) => (assertOpen(scope, text), sql.run(text, ...values)),
  };
}
