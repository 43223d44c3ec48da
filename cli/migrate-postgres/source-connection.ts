// The database that is moved from: connections to it, and what may be said of its errors.

import pg from "pg";
import { withTimeout } from "#lib/core/with-timeout.ts";
import { AppError } from "#lib/core/errors.ts";

/** The bound of getting a connection. */
const CONNECT_TIMEOUT_MS = 10_000;
/** How a lock that somebody else holds ends. */
const LOCK_TIMEOUT_MS = 10_000;

/** One text form for every value, whatever the server's or the role's own settings are. */
const SESSION_SETTINGS = [
  "client_encoding = 'UTF8'",
  "timezone = 'UTC'",
  "datestyle = 'ISO, YMD'",
  "intervalstyle = 'postgres'",
  "bytea_output = 'hex'",
  "extra_float_digits = 1",
  "xmloption = 'content'",
  "search_path = 'pg_catalog'",
  "statement_timeout = 0",
  "idle_in_transaction_session_timeout = 0",
  `lock_timeout = ${LOCK_TIMEOUT_MS}`,
  "synchronize_seqscans = off",
];

/** How our sessions are called in pg_stat_activity. */
export const APPLICATION_NAME = "lectern migrate";

export interface SourceOptions {
  /** A replication connection of the database: it takes START_REPLICATION and CREATE_REPLICATION_SLOT, and simple queries. */
  readonly replication?: boolean;
  /** Every transaction on it can read only, whatever is sent. */
  readonly readOnly?: boolean;
}

/**
 * A connection to `url` with fixed text forms (UTC, ISO dates). Values come back as texts, null as null: no type is parsed.
 * The caller ends it. Throws AppError(invalid) for what is no connection string, AppError(unavailable) where nobody answers,
 * AppError(forbidden) where the server refuses; none of them tells the connection string.
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
    // A connection that breaks between two queries says so here; the next query fails with it.
    client.on("error", () => {});
    await client.connect();
    await applySessionSettings(client, { readOnly });
    return client;
  } catch (error) {
    void closeSource(client);
    throw toSourceError(error);
  }
}

/** What every connection to `url` has in common. Throws AppError(invalid) for what is no connection string. */
export function createClientConfig(url: string): pg.ClientConfig {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
    throw new AppError(
      "invalid",
      "--from or MIGRATE_FROM: must be a connection string such as postgres://user:password@host:5432/database, with special characters of the password percent-encoded (/ is %2F, @ is %40)",
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

/** sslmode as psql and Prisma understand it: the client takes "require" for "verify-full" otherwise, and warns at length. */
function withLibpqCompat(url: string): string {
  return /[?&]sslmode=/.test(url) && !/[?&]uselibpqcompat=/.test(url)
    ? `${url}&uselibpqcompat=true`
    : url;
}

/** Gives a connection that is open its fixed text forms. */
export async function applySessionSettings(
  client: pg.ClientBase,
  { readOnly = false }: Pick<SourceOptions, "readOnly"> = {},
): Promise<void> {
  for (const setting of [
    ...SESSION_SETTINGS,
    `default_transaction_read_only = ${readOnly ? "on" : "off"}`,
  ])
    await client.query(`SET ${setting}`);
}

/** The bound of a question, where it does not say more. */
const QUERY_TIMEOUT_MS = 120_000;
const CLOSE_TIMEOUT_MS = 2_000;

/** The rows of a query, their values as texts. Throws as `asSourceError` says; AppError(unavailable) after `ms`, with the connection given up. */
export async function readRows<Result extends Record<string, string | null>>(
  client: pg.Client,
  text: string,
  values: readonly (string | null)[] = [],
  { ms = QUERY_TIMEOUT_MS }: { ms?: number } = {},
): Promise<Result[]> {
  try {
    const asked = client.query(text, values as string[]);
    return (
      await withTimeout(asked, ms, `PostgreSQL has not answered for ${ms / 1000} seconds.`, () =>
        destroySocket(client),
      )
    ).rows as Result[];
  } catch (error) {
    throw toSourceError(error);
  }
}

/** Ends a connection, also to a server that does not answer any more. */
export async function closeSource(client: pg.Client | null | undefined): Promise<void> {
  if (!client) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)));
  await Promise.race([client.end().catch(() => {}), late]);
  clearTimeout(timer);
  destroySocket(client);
}

/** Without a word to the other side, which may not listen. */
function destroySocket(client: pg.Client): void {
  (
    client as unknown as { connection: { stream: { destroy(): void } } }
  ).connection.stream.destroy();
}

/** Messages of these classes name tables, settings and rights; others may quote rows (SQLSTATE, PostgreSQL's appendix A). */
const REPORTABLE_SQLSTATES = /^(0A|25|26|34|3B|3D|3F|42|53|54|55|57|58|F0|XX)/;

/**
 * What may be said of an error of the source: never its connection string, nor a row's contents. An AppError comes back as it is.
 * `unavailable` where trying again may help (a connection that broke, a server that restarts, no room), `forbidden` for rights, else `conflict`.
 */
export function toSourceError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const state = typeof code === "string" ? code : "";
  if (/^28/.test(state))
    return new AppError(
      "forbidden",
      `PostgreSQL let us not in (${state}): check the user, the password and pg_hba.conf.`,
    );
  if (state === "3D000")
    return new AppError(
      "invalid",
      "PostgreSQL has no database of that name (3D000): check the end of the connection string.",
    );
  if (/^[0-9A-Z]{5}$/.test(state)) {
    const kind =
      state === "42501"
        ? "forbidden"
        : /^(08|53|57)/.test(state) || state === "55006" || state === "55P03"
          ? "unavailable"
          : "conflict";
    return new AppError(
      kind,
      REPORTABLE_SQLSTATES.test(state)
        ? `PostgreSQL: ${String(message)} (${state})`
        : `PostgreSQL refused a value (${state}).`,
    );
  }
  if (/^E[A-Z]+$/.test(state))
    return new AppError(
      "unavailable",
      `PostgreSQL can't be reached (${state}): check host and port of the connection string, and that the special characters of its password are percent-encoded (@ is %40, # is %23, / is %2F).`,
    );
  if (
    /Connection terminated|connection is closed|not queryable|timeout expired|Client was closed/i.test(
      String(message),
    )
  )
    return new AppError("unavailable", "The connection to PostgreSQL broke.");
  if (/SSL|certificate|self.signed/i.test(String(message)))
    return new AppError(
      "unavailable",
      "PostgreSQL and we found no way to encrypt: check sslmode in --from.",
    );
  return new AppError("unavailable", "PostgreSQL can't be talked to.", { cause: error });
}
