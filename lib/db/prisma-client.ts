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
import { type Connection, type Sql, toWriteRefusedError } from "./connection.ts";

/** What a function inside snapshot() or write() works with: Prisma and plain SQL in the same transaction. */
export interface Tx {
  readonly prisma: Prisma.TransactionClient;
  readonly sql: Sql;
}

/** A transaction that is open on a connection. `open` turns false when it ends: whoever still holds it is refused. */
export interface TransactionScope {
  readonly connection: Connection;
  readonly kind: "snapshot" | "write";
  isOpen: boolean;
  /** What SQLite last said against a query of Prisma's, whose own error hides it. */
  lastSqliteError?: unknown;
}

const scopes = new AsyncLocalStorage<TransactionScope>();

/** The scope this code runs in, if any and still open. */
export function currentScope(): TransactionScope | undefined {
  const scope = scopes.getStore();
  return scope?.isOpen ? scope : undefined;
}

export function runInScope<T>(scope: TransactionScope, fn: () => T): T {
  return scopes.run(scope, fn);
}

const ADAPTER_INFO = { provider: "sqlite", adapterName: "@prisma/adapter-better-sqlite3" } as const;

function throwOutsideTransaction(): never {
  throw new Error(
    "A Prisma query ran outside snapshot() and write(). Use the tx that they pass in.",
  );
}

function attachTransaction(scope: TransactionScope): Transaction {
  const { adapter } = scope.connection;
  const guard = (query: SqlQuery) => {
    if (!scope.isOpen)
      throw new Error(
        `The transaction has ended; a query came too late: ${query.sql.slice(0, 200)}`,
      );
    return query;
  };
  const refused = (error: unknown, query: SqlQuery) => {
    scope.lastSqliteError = error;
    return Promise.reject(scope.kind === "write" ? toWriteRefusedError(error, query.sql) : error);
  };
  return {
    ...ADAPTER_INFO,
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

const adapterFactory: SqlDriverAdapterFactory = {
  ...ADAPTER_INFO,
  async connect(): Promise<SqlDriverAdapter> {
    return {
      ...ADAPTER_INFO,
      queryRaw: async () => throwOutsideTransaction(),
      executeRaw: async () => throwOutsideTransaction(),
      executeScript: async () => throwOutsideTransaction(),
      startTransaction: async (_level?: IsolationLevel) =>
        attachTransaction(currentScope() ?? throwOutsideTransaction()),
      dispose: async () => {},
    };
  },
};

const prismaClient = new PrismaClient({ adapter: adapterFactory });

/** Longer than any deadline of ours, which end a transaction first and say why. */
const PRISMA_TIMEOUT_MS = 24 * 3_600_000;

/** Runs `fn` with a Tx on the scope's connection. Errors of `fn` come through unchanged. */
export function withPrisma<T>(scope: TransactionScope, fn: (tx: Tx) => Promise<T> | T): Promise<T> {
  const { sql } = scope.connection;
  return runInScope(scope, () =>
    prismaClient.$transaction(async (prisma) => fn({ prisma, sql: revocable(scope, sql) }), {
      timeout: PRISMA_TIMEOUT_MS,
      maxWait: 5_000,
    }),
  );
}

/** `sql` that refuses to work once the scope has ended. */
export function revocable(scope: TransactionScope, sql: Sql): Sql {
  const check = (text: string) => {
    if (!scope.isOpen)
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
