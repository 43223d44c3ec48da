// Creates the one Prisma client. It runs only inside a transaction of read() or write(): its driver
// adapter attaches to that transaction's connection and opens none
// (docs/decisions/034-prisma-is-the-data-layer.md).

import { AsyncLocalStorage } from "node:async_hooks";
import type {
  IsolationLevel,
  SqlDriverAdapter,
  SqlDriverAdapterFactory,
  SqlQuery,
  Transaction,
} from "@prisma/driver-adapter-utils";
import { DAY_MS } from "#lib/core/clock.ts";
import { PrismaClient } from "../../prisma/generated/client.ts";
import { columnValues } from "./column-values.ts";
import { bindToScope } from "./bind-to-scope.ts";
import { type Connection, type Sql, toWriteRefusedError } from "./connection.ts";
import { type TransactionScope, assertOpen, revocable, runInScope } from "./transaction-scope.ts";

const ADAPTER_INFO = { provider: "sqlite", adapterName: "@prisma/adapter-better-sqlite3" } as const;

function throwOutsideTransaction(): never {
  throw new Error("A Prisma query ran outside read() and write(). Use the tx that they pass.");
}

/** A Prisma transaction. It spans many SQLite transactions, one after another. */
interface OpenTransaction {
  readonly connection: Connection;
  readonly openedMs: number;
  /** The current scope, or the last one, which is closed. */
  scope: TransactionScope;
  close(): void;
}

function attach(open: OpenTransaction): Transaction {
  const { adapter } = open.connection;
  async function runQuery<T>(query: SqlQuery, run: (query: SqlQuery) => Promise<T>): Promise<T> {
    // Not currentScope(): Prisma batches the queries of a tick and sends them in the first one's context.
    const { scope } = open;
    assertOpen(scope, query.sql);
    // @prisma/debug keeps its last hundred arguments even when it is off. Clear the copy that it
    // gets, or recordings and tokens would stay in memory.
    const copy = { ...query };
    try {
      return await run(copy);
    } catch (error) {
      scope.lastSqliteError = error;
      throw scope.kind === "write" ? toWriteRefusedError(error, query.sql) : error;
    } finally {
      copy.args = [];
    }
  }
  return {
    ...ADAPTER_INFO,
    // With phantom queries, Prisma sends no BEGIN or COMMIT; read() and the write queue send them.
    options: { usePhantomQuery: true },
    // Writes come here too: Prisma sends INSERT … RETURNING as a query.
    queryRaw: (query) => runQuery(query, (copy) => adapter.queryRaw(copy)),
    executeRaw: (query) => runQuery(query, (copy) => adapter.executeRaw(copy)),
    commit: async () => {},
    rollback: async () => {},
  };
}

/** The transaction that startTransaction() attaches. */
const opening = new AsyncLocalStorage<OpenTransaction>();

const adapterFactory: SqlDriverAdapterFactory = {
  ...ADAPTER_INFO,
  async connect(): Promise<SqlDriverAdapter> {
    return {
      ...ADAPTER_INFO,
      queryRaw: async () => throwOutsideTransaction(),
      executeRaw: async () => throwOutsideTransaction(),
      executeScript: async () => throwOutsideTransaction(),
      startTransaction: async (_level?: IsolationLevel) =>
        attach(opening.getStore() ?? throwOutsideTransaction()),
      dispose: async () => {},
    };
  },
};

const prismaClient = new PrismaClient({
  adapter: adapterFactory,
  // Other formats quote source code in messages, so each query would record a stack trace.
  errorFormat: "minimal",
}).$extends(columnValues);

type TransactionClient = Parameters<Parameters<typeof prismaClient.$transaction>[0]>[0];

/** Prisma's client inside a transaction of read() or write(). */
// An interface, because compiler messages show its name instead of its definition.
// oxlint-disable-next-line typescript/no-empty-object-type
export interface Tx extends TransactionClient {}

/** Node's longest timer, 24.8 days. read() and write() have their own deadlines. */
const PRISMA_TIMEOUT_MS = 2 ** 31 - 1;
const RENEW_AFTER_MS = DAY_MS;

type ReadyTransaction = OpenTransaction & { readonly tx: Tx };

/** Each connection's transaction, while no read() or write() uses it. */
const idleTransactions = new WeakMap<Connection, ReadyTransaction>();
const scopeOfTx = new WeakMap<object, TransactionScope>();
/** Keeps the context of the first request from living as long as the connection. */
const runOutsideCaller = AsyncLocalStorage.snapshot();

/** Opens a transaction that lasts until close() or the end of the scope's connection. */
function openTransaction(scope: TransactionScope): Promise<ReadyTransaction> {
  const { connection } = scope;
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const close = () => {
    connection.closed.removeEventListener("abort", close);
    resolve();
  };
  connection.closed.addEventListener("abort", close);
  const open: OpenTransaction = { connection, openedMs: performance.now(), scope, close };
  return new Promise((resolveReady, reject) => {
    const run = async (tx: Tx) => {
      resolveReady(Object.assign(open, { tx }));
      await closed;
    };
    runOutsideCaller(() =>
      opening.run(open, () =>
        prismaClient.$transaction(run, { timeout: PRISMA_TIMEOUT_MS, maxWait: 5_000 }),
      ),
    ).catch(reject);
  });
}

async function takeTransaction(scope: TransactionScope): Promise<ReadyTransaction> {
  const idle = idleTransactions.get(scope.connection);
  if (!idle) return openTransaction(scope);
  idleTransactions.delete(scope.connection);
  if (performance.now() - idle.openedMs < RENEW_AFTER_MS) return Object.assign(idle, { scope });
  idle.close();
  return openTransaction(scope);
}

/** Runs `fn` with a Prisma client on the scope's connection. Rethrows errors of `fn` unchanged. */
export function withPrisma<T>(scope: TransactionScope, fn: (tx: Tx) => Promise<T> | T): Promise<T> {
  // Also inside the write queue's scope: the queue may belong to another Next bundle, whose copy of
  // this module has its own AsyncLocalStorage.
  return runInScope(scope, async () => {
    const open = await takeTransaction(scope);
    const tx = bindToScope(open.tx, scope);
    scopeOfTx.set(tx, scope);
    try {
      const value = await fn(tx);
      // A function that failed, missed its deadline or didn't wait for a query may still send some.
      if (scope.isOpen && !scope.pending) idleTransactions.set(scope.connection, open);
      else open.close();
      return value;
    } catch (error) {
      open.close();
      throw error;
    }
  });
}

/** Returns the scope of `tx`. Throws Error if it is not the tx of read() or write(). */
export function scopeOf(tx: Tx): TransactionScope {
  const scope = scopeOfTx.get(tx);
  if (!scope) throw new Error("This tx does not come from read() or write().");
  return scope;
}

/** Returns plain SQL in the transaction of `tx`, or `tx` itself if it is already plain SQL. */
export function sqlOf(tx: Tx | Sql): Sql {
  if ("all" in tx) return tx;
  const scope = scopeOf(tx);
  return (scope.sql ??= revocable(scope, scope.connection.sql));
}
