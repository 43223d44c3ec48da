// The one Prisma client. It runs only inside a transaction that snapshot() or write() has opened:
// its driver adapter attaches to that transaction's connection and opens none of its own.

import { AsyncLocalStorage } from "node:async_hooks";
import type {
  IsolationLevel,
  SqlDriverAdapter,
  SqlDriverAdapterFactory,
  SqlQuery,
  Transaction,
} from "@prisma/driver-adapter-utils";
import { type Prisma, PrismaClient } from "../../prisma/generated/client.ts";
import { type Connection, type Sql, asWriteRefused } from "./connection.ts";

/** What a function inside snapshot() or write() works with: Prisma and plain SQL in the same transaction. */
export interface Tx {
  readonly prisma: Prisma.TransactionClient;
  readonly sql: Sql;
}

/** A transaction that is open on a connection. `open` turns false when it ends: whoever still holds it is refused. */
export interface Scope {
  readonly connection: Connection;
  readonly kind: "snapshot" | "write";
  open: boolean;
  /** What SQLite last said against a query of Prisma's, whose own error hides it. */
  refusal?: unknown;
}

const scopes = new AsyncLocalStorage<Scope>();

/** The scope this code runs in, if any and still open. */
export function currentScope(): Scope | undefined {
  const scope = scopes.getStore();
  return scope?.open ? scope : undefined;
}

export function inScope<T>(scope: Scope, fn: () => T): T {
  return scopes.run(scope, fn);
}

const identity = { provider: "sqlite", adapterName: "@prisma/adapter-better-sqlite3" } as const;

function outside(): never {
  throw new Error(
    "A Prisma query ran outside snapshot() and write(). Use the tx that they pass in.",
  );
}

function attach(scope: Scope): Transaction {
  const { adapter } = scope.connection;
  const guard = (query: SqlQuery) => {
    if (!scope.open)
      throw new Error(
        `The transaction has ended; a query came too late: ${query.sql.slice(0, 200)}`,
      );
    return query;
  };
  const refused = (error: unknown, query: SqlQuery) => {
    scope.refusal = error;
    return Promise.reject(scope.kind === "write" ? asWriteRefused(error, query.sql) : error);
  };
  return {
    ...identity,
    // "Phantom" means that commit() and rollback() below stand for the statements: BEGIN, SAVEPOINT and
    // COMMIT belong to snapshot() and to the write queue alone.
    options: { usePhantomQuery: true },
    // Prisma sends INSERT … RETURNING as a query.
    queryRaw: (query) =>
      adapter.queryRaw(guard(query)).catch((error: unknown) => refused(error, query)),
    executeRaw: (query) =>
      adapter.executeRaw(guard(query)).catch((error: unknown) => refused(error, query)),
    commit: async () => {},
    rollback: async () => {},
  };
}

const factory: SqlDriverAdapterFactory = {
  ...identity,
  async connect(): Promise<SqlDriverAdapter> {
    return {
      ...identity,
      queryRaw: async () => outside(),
      executeRaw: async () => outside(),
      executeScript: async () => outside(),
      startTransaction: async (_level?: IsolationLevel) => attach(currentScope() ?? outside()),
      dispose: async () => {},
    };
  },
};

const client = new PrismaClient({ adapter: factory });

/** Longer than any deadline of ours, which end a transaction first and say why. */
const PRISMA_TIMEOUT_MS = 24 * 3_600_000;

/** Runs `fn` with a Tx on the scope's connection. Errors of `fn` come through unchanged. */
export function withPrisma<T>(scope: Scope, fn: (tx: Tx) => Promise<T> | T): Promise<T> {
  const { sql } = scope.connection;
  return inScope(scope, () =>
    client.$transaction(async (prisma) => fn({ prisma, sql: fenced(scope, sql) }), {
      timeout: PRISMA_TIMEOUT_MS,
      maxWait: 5_000,
    }),
  );
}

/** `sql` that refuses to work once the scope has ended. */
export function fenced(scope: Scope, sql: Sql): Sql {
  const check = (text: string) => {
    if (!scope.open)
      throw new Error(
        `The transaction has ended; a query came too late: ${text.trim().slice(0, 200)}`,
      );
  };
  return {
    get: (text, ...values) => (check(text), sql.get(text, ...values)),
    all: (text, ...values) => (check(text), sql.all(text, ...values)),
    run: (text, ...values) => (check(text), sql.run(text, ...values)),
  };
}
