// Connects to the source database, runs queries with deadlines, and converts its errors to safe
// messages.

import pg from "pg";
import { withTimeout } from "#lib/core/with-timeout.ts";
import { AppError, type ErrorCode } from "#lib/core/errors.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** How long a statement waits for a lock. */
const LOCK_TIMEOUT_MS = 10_000;

/** Fixes the text format of every value, whatever the server's or the role's settings. */
const SESSION_SETTINGS = [
  "client_encoding = 'UTF8'",
  "timezone = 'UTC'",
  "datestyle = 'ISO, YMD'",
  "intervalstyle = 'postgres'",
  "bytea_output = 'hex'",
  "extra_float_digits = 1",
  "xmloption = 'content'",
  "search_path = 'pg_catalog'",
  `lock_timeout = ${LOCK_TIMEOUT_MS}`,
  "synchronize_seqscans = off",
];

/** Turns off the timeouts that would end a long session. Older servers lack some of them. */
const DISABLE_TIMEOUTS = `SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout')`;

/** Identifies this command's sessions in pg_stat_activity. */
export const APPLICATION_NAME = "lectern migrate";

export interface SourceOptions {
  /** Opens a replication connection, which accepts replication commands and simple queries. */
  readonly replication?: boolean;
  /** Makes every transaction read-only. */
  readonly readOnly?: boolean;
}

/**
 * Connects with fixed text formats (UTC, ISO dates); values are strings or null. The caller must
 * close the connection. Throws AppError: invalid for a bad URL, unavailable without a response,
 * forbidden if the login is rejected. No message contains the URL.
 */
export async function connectSource(
  url: string,
  { replication = false, readOnly = false }: SourceOptions = {},
): Promise<pg.Client> {
  const config = createClientConfig(url);
  let client: pg.Client | undefined;
  try {
    client = new pg.Client({
      ...config,
      ...(replication && { replication: "database" }),
    } as pg.ClientConfig);
    // A connection lost between queries is reported by the next query.
    client.on("error", () => {});
    await client.connect();
    await applySessionSettings(client, { readOnly });
    return client;
  } catch (error) {
    void closeSource(client);
    throw toSourceError(error);
  }
}

/** Runs `work` on a new connection, and closes it. */
export async function withSource<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await connectSource(url);
  try {
    return await work(client);
  } finally {
    await closeSource(client);
  }
}

/** Returns the options that all connections share. Throws AppError(invalid) for a bad URL. */
export function createClientConfig(url: string): pg.ClientConfig {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
    throw new AppError(
      "invalid",
      "--from or MIGRATE_FROM must be a connection string such as postgres://user:password@host:5432/database, with special characters of the password percent-encoded (/ is %2F, @ is %40)",
    );
  return {
    connectionString: withLibpqCompat(url),
    application_name: APPLICATION_NAME,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser: () => String } as unknown as pg.CustomTypesConfig,
  };
}

/**
 * Interprets sslmode as psql and Prisma do: pg alone treats "require" as "verify-full", and warns.
 */
function withLibpqCompat(url: string): string {
  return /[?&]sslmode=/.test(url) && !/[?&]uselibpqcompat=/.test(url)
    ? `${url}&uselibpqcompat=true`
    : url;
}

/** Applies the fixed text formats to an open connection. */
export async function applySessionSettings(
  client: pg.ClientBase,
  { readOnly = false }: Pick<SourceOptions, "readOnly"> = {},
): Promise<void> {
  for (const setting of [
    ...SESSION_SETTINGS,
    `default_transaction_read_only = ${readOnly ? "on" : "off"}`,
  ])
    await client.query(`SET ${setting}`);
  await client.query(DISABLE_TIMEOUTS);
}

const QUERY_TIMEOUT_MS = 120_000;
/** A scan of five million rows takes a few seconds on an idle server. */
export const SCAN_TIMEOUT_MS = 1_800_000;
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Runs a query; values are strings or null. Throws the errors of toSourceError, and
 * AppError(unavailable) after `ms`, which destroys the connection.
 */
export async function readRows<Result extends Record<string, string | null>>(
  client: pg.Client,
  text: string,
  values: readonly (string | null)[] = [],
  { ms = QUERY_TIMEOUT_MS }: { ms?: number } = {},
): Promise<Result[]> {
  try {
    const query = client.query(text, values as string[]);
    const { rows } = await withTimeout(query, ms, noAnswerMessage(ms), () => destroySocket(client));
    return rows as Result[];
  } catch (error) {
    throw toSourceError(error);
  }
}

const noAnswerMessage = (ms: number) => `PostgreSQL has not responded for ${ms / 1000} seconds.`;

export const createAbortedError = () => new AppError("unavailable", "The comparison was stopped.");

/**
 * Runs `work` on `source`. Throws AppError(unavailable) on abort or after `ms`, and closes the
 * connection, which would stay busy.
 */
export async function withSourceDeadline<T>(
  source: pg.Client,
  work: () => Promise<T>,
  { ms = QUERY_TIMEOUT_MS, signal }: { ms?: number; signal?: AbortSignal } = {},
): Promise<T> {
  if (signal?.aborted) throw createAbortedError();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const close = () => void closeSource(source);
  const onAbort = () => {
    reject(createAbortedError());
    close();
  };
  signal?.addEventListener("abort", onAbort);
  try {
    return await withTimeout(Promise.race([work(), aborted]), ms, noAnswerMessage(ms), close);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Closes a connection, even if the server does not respond. */
export async function closeSource(client: pg.Client | null | undefined): Promise<void> {
  if (!client) return;
  await withTimeout(client.end(), CLOSE_TIMEOUT_MS, "").catch(() => {});
  destroySocket(client);
}

/** Closes the socket without telling the server. */
function destroySocket(client: pg.Client): void {
  (
    client as unknown as { connection: { stream: { destroy(): void } } }
  ).connection.stream.destroy();
}

/**
 * SQLSTATE classes whose messages name only tables, settings and privileges; others may quote rows
 * (PostgreSQL docs, Appendix A).
 */
const REPORTABLE_SQLSTATES = /^(0A|25|26|34|3B|3D|3F|42|53|54|55|57|58|F0|XX)/;

/** The SQLSTATE of a slot that another connection uses. */
export const OBJECT_IN_USE = "55006";

/** An error that PostgreSQL reported. */
export class SourceError extends AppError {
  /** PostgreSQL docs, Appendix A. */
  readonly sqlState: string;

  constructor(code: ErrorCode, message: string, sqlState: string) {
    super(code, message);
    this.sqlState = sqlState;
  }
}

/**
 * Converts an error of the source to an AppError without the connection string or a row's contents.
 * Codes: `unavailable` if it is transient (connection lost, restart, no space), `forbidden` for
 * missing privileges, `invalid` for a wrong URL, else `conflict`.
 */
export function toSourceError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const state = typeof code === "string" ? code : "";
  if (/^28/.test(state))
    return new AppError(
      "forbidden",
      `PostgreSQL rejected the login (${state}): check the user, the password and pg_hba.conf.`,
    );
  if (state === "3D000")
    return new AppError(
      "invalid",
      "PostgreSQL has no database with that name (3D000): check the end of the connection string.",
    );
  // No SQLSTATE starts with E. Node's EPIPE looks like one.
  if (/^[0-9A-DF-Z][0-9A-Z]{4}$/.test(state)) {
    const kind =
      state === "42501"
        ? "forbidden"
        : /^(08|53|57)/.test(state) || state === OBJECT_IN_USE || state === "55P03"
          ? "unavailable"
          : "conflict";
    return new SourceError(
      kind,
      REPORTABLE_SQLSTATES.test(state)
        ? `PostgreSQL: ${String(message)} (${state})`
        : `PostgreSQL rejected a value (${state}).`,
      state,
    );
  }
  if (/^E[A-Z]+$/.test(state))
    return new AppError(
      "unavailable",
      `PostgreSQL cannot be reached (${state}): check the connection string's host and port, and that special characters of its password are percent-encoded (@ is %40, # is %23, / is %2F).`,
    );
  if (
    /Connection terminated|connection is closed|not queryable|timeout expired|Client was closed/i.test(
      String(message),
    )
  )
    return new AppError("unavailable", "The connection to PostgreSQL was lost.");
  if (/SSL|certificate|self.signed/i.test(String(message)))
    return new AppError(
      "unavailable",
      "The TLS handshake with PostgreSQL failed: check sslmode in --from.",
    );
  return new AppError("unavailable", "The connection to PostgreSQL failed.", { cause: error });
}
