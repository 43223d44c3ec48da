// Creates a source site in PostgreSQL: the tables that Prisma creates, and deterministic rows of
// every kind.

import { parseArgs } from "node:util";
import pg from "pg";
import type { TestPostgres } from "./postgres.ts";

const SCHEMA = `
  CREATE TYPE "Role" AS ENUM ('ADMIN', 'MEMBER');
  CREATE TYPE "Team" AS ENUM ('BLUE', 'RED', 'YELLOW');
  CREATE TABLE "User" (
    "id" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    "email" TEXT NOT NULL,
    "firstName" TEXT NOT NULL,
    "discordId" TEXT,
    "convertKitId" TEXT,
    "role" "Role" NOT NULL DEFAULT 'MEMBER',
    "team" "Team" NOT NULL
  );
  CREATE TABLE "Session" (
    "id" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "userId" TEXT NOT NULL,
    "expirationDate" TIMESTAMP(3) NOT NULL
  );
  CREATE TABLE "Call" (
    "id" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    "title" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "keywords" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "base64" TEXT NOT NULL
  );
  CREATE TABLE "PostRead" (
    "id" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "userId" TEXT,
    "clientId" TEXT,
    "postSlug" TEXT NOT NULL
  );
  CREATE TABLE "_prisma_migrations" ("id" VARCHAR(36) PRIMARY KEY, "migration_name" VARCHAR(255) NOT NULL);
  INSERT INTO "_prisma_migrations" VALUES ('1', '20200918034131_init');`;

/** Created after the rows are inserted, which is faster. */
const CONSTRAINTS = `
  ALTER TABLE "User" ADD CONSTRAINT "User_pkey" PRIMARY KEY ("id");
  ALTER TABLE "Session" ADD CONSTRAINT "Session_pkey" PRIMARY KEY ("id");
  ALTER TABLE "Call" ADD CONSTRAINT "Call_pkey" PRIMARY KEY ("id");
  ALTER TABLE "PostRead" ADD CONSTRAINT "PostRead_pkey" PRIMARY KEY ("id");
  CREATE UNIQUE INDEX "User.email_unique" ON "User"("email");
  ALTER TABLE "Session" ADD CONSTRAINT "Session_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;
  ALTER TABLE "Call" ADD CONSTRAINT "Call_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;
  ALTER TABLE "PostRead" ADD CONSTRAINT "PostRead_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;
  CREATE INDEX "PostRead_userId_postSlug" ON "PostRead"("userId", "postSlug");
  CREATE INDEX "PostRead_clientId_postSlug" ON "PostRead"("clientId", "postSlug");
  CREATE INDEX "Session_userId" ON "Session"("userId");
  CREATE INDEX "Call_userId" ON "Call"("userId");`;

export interface SourceSiteSizes {
  readonly users: number;
  readonly sessions: number;
  readonly calls: number;
  /** The length of a call's base64. */
  readonly callBytes: number;
  /** The number of reads, about 30% of them by members. */
  readonly reads: number;
}

/** The size of a real site that migrated in November 2022. */
export const FULL_SIZES: SourceSiteSizes = {
  users: 10_000,
  sessions: 20_000,
  calls: 300,
  callBytes: 400_000,
  reads: 500_000,
};
export const SMALL_SIZES: SourceSiteSizes = {
  users: 60,
  sessions: 90,
  calls: 8,
  callBytes: 30_000,
  reads: 2_000,
};

/** Returns SQL for a UUID from a number. */
const uuidSql = (what: string, of: string) => `(md5('${what}' || (${of})::text)::uuid)::text`;
/** Returns SQL for a hash from 0 up to `below`, the same on every server. */
const hashSql = (of: string, salt: number, below: number) =>
  `((hashint8extended((${of})::bigint, ${salt}) & 1099511627775) % ${below})`;
/** The time from 2025-05-01 to 2026-11-01. */
const SPAN_MS = 549 * 86_400_000;
/** Returns SQL for a timestamp in these 18 months, from a number. */
const momentSql = (of: string) =>
  `(timestamp(3) '2025-05-01' + ${hashSql(of, 7, SPAN_MS)} * interval '1 millisecond')`;

/**
 * Separators of every format, quotes, control characters, several scripts, emoji, combining marks.
 */
export const WORDS: readonly string[] = [
  "Ada",
  "José",
  "Zoë",
  "Łukasz",
  "李雷",
  "محمد",
  "Ноэль",
  "O'Brien",
  'Quo"te',
  "Tab\there",
  "back\\slash",
  "comma, semicolon;",
  "(parens)",
  "line\nbreak",
  "return\rhere",
  "emoji 👩🏽‍🚀",
  "e\u0301 combining",
  " lead and trail ",
  "\\N",
  "\\.",
  "null",
  "{a,b}",
  "%s $1 ?",
  "\u001f unit",
  "\u007f",
  "a",
  "",
];
const arraySql = (texts: readonly string[]) =>
  `ARRAY[${texts.map((text) => pg.escapeLiteral(text)).join(",")}]`;
const wordSql = (of: string) => `(${arraySql(WORDS)})[1 + (${of}) % ${WORDS.length}]`;

/** Posts of this site, and posts that only the source site has. */
const SLUGS = [
  "what-litefs-costs",
  "a-tour-of-the-code",
  "moving-in-from-postgres",
  "one-door-for-writes",
  "how-i-structure-a-remix-app",
  "super-simple-start-to-react",
  "don-t-sync-state",
  "sqlite-beside-the-reader",
];
/** Reads are skewed: one in six is for the first post. */
const POSTS = 214;
const slugSql = (of: string) =>
  `(SELECT CASE WHEN post <= ${SLUGS.length} THEN (${arraySql(SLUGS)})[post] ELSE 'old-post-' || post END FROM (SELECT 1 + floor(${POSTS} * power(${hashSql(of, 11, 65_536)} / 65536.0::float8, 3))::int AS post) AS chosen)`;

/**
 * Fills the empty database at `url` with rows that migrate without options. The same sizes give the
 * same rows. ODDITIES are separate.
 */
export async function createSourceSite(
  url: string,
  sizes: Partial<SourceSiteSizes> = {},
): Promise<void> {
  const { users, sessions, calls, callBytes, reads } = { ...SMALL_SIZES, ...sizes };
  await runSql(
    url,
    SCHEMA,
    `INSERT INTO "User" SELECT ${uuidSql("user", "n")}, "at", "at" + ${hashSql("n", 8, 864_000_000)} * interval '1 millisecond', 'member' || n || CASE WHEN n % 50 = 0 THEN '@Example.COM' ELSE '@example.com' END,
       ${wordSql("n")}, CASE WHEN n % 3 = 0 THEN (100000000000000000 + n)::text END, CASE WHEN n % 5 = 0 THEN n::text WHEN n % 5 = 1 THEN '' END,
       CASE WHEN n = 1 THEN 'ADMIN' ELSE 'MEMBER' END::"Role", (ARRAY['RED', 'BLUE', 'YELLOW'])[1 + n % 3]::"Team" FROM generate_series(1, ${users}) AS n, LATERAL (SELECT ${momentSql("n")} AS "at") AS moment`,
    `INSERT INTO "Session" SELECT ${uuidSql("session", "n")}, "at", ${uuidSql("user", `1 + n % ${users}`)}, "at" + interval '365 days' FROM generate_series(1, ${sessions}) AS n, LATERAL (SELECT ${momentSql("n + 2")} AS "at") AS moment`,
    // Recordings are parts of one incompressible text. Descriptions are up to 20 kB.
    `INSERT INTO "Call" SELECT ${uuidSql("call", "n")}, "at", "at" + interval '1 minute', 'Question ' || n || ' ' || ${wordSql("n")}, repeat(${wordSql("n + 3")} || ' and so on ', CASE n % 20 WHEN 7 THEN 1000 ELSE n % 40 END), 'a,b,' || ${wordSql("n + 5")}, ${uuidSql("user", `1 + n % ${users}`)},
       CASE WHEN ${callBytes} > 0 THEN 'data:audio/webm;base64,' || substr(noise, 1 + n * 132, ${callBytes}) ELSE '' END
       FROM generate_series(1, ${calls}) AS n, LATERAL (SELECT ${momentSql("n + 3")} AS "at") AS moment,
       (SELECT string_agg(translate(encode(substr(sha512(i::text::bytea), 1, 48), 'base64'), E'\\n', ''), '') AS noise FROM generate_series(1, ${Math.ceil((callBytes + (calls + 1) * 132) / 64)}) AS i) AS sound`,
    `INSERT INTO "PostRead" SELECT ${uuidSql("read", "n")}, ${momentSql("n + 5")}, CASE WHEN n % 10 < 3 THEN ${uuidSql("user", `1 + (n / 10) % ${users}`)} END, CASE WHEN n % 10 >= 3 OR n % 40 = 1 THEN ${uuidSql("client", "n / 7")} END, ${slugSql("n")} FROM generate_series(1, ${reads}) AS n`,
    CONSTRAINTS,
    "ANALYZE",
  );
}

const templates = new WeakMap<TestPostgres, Map<string, Promise<string>>>();

/**
 * Creates a database with a source site as a copy of a template, which is filled once per server
 * and size.
 */
export async function createSourceDatabase(
  server: TestPostgres,
  sizes: Partial<SourceSiteSizes> = {},
): Promise<string> {
  const bySize = templates.get(server) ?? new Map<string, Promise<string>>();
  templates.set(server, bySize);
  const key = JSON.stringify(sizes);
  if (!bySize.has(key)) bySize.set(key, createTemplate(server, sizes));
  return server.createDatabase(await bySize.get(key));
}

async function createTemplate(
  server: TestPostgres,
  sizes: Partial<SourceSiteSizes>,
): Promise<string> {
  const url = await server.createDatabase();
  await createSourceSite(url, sizes);
  return new URL(url).pathname.slice(1);
}

/** Runs statements in order, each in its own transaction. */
export async function runSql(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  // A lost connection is reported by the failing statement.
  client.on("error", () => {});
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Oddities of source sites, each as SQL to run after createSourceSite. */
export const ODDITIES = {
  microseconds: `ALTER TABLE "PostRead" ALTER "createdAt" TYPE timestamp(6); UPDATE "PostRead" SET "createdAt" = "createdAt" + interval '999 microseconds'; UPDATE "PostRead" SET "createdAt" = '1969-12-31 23:59:59.999001' WHERE "id" = ${uuidSql("read", "1")}`,
  zoned: `ALTER TABLE "User" ALTER "createdAt" TYPE timestamptz(3) USING "createdAt" AT TIME ZONE 'UTC'`,
  infinite: `UPDATE "Session" SET "expirationDate" = 'infinity' WHERE "id" = ${uuidSql("session", "3")}; UPDATE "PostRead" SET "createdAt" = '-infinity' WHERE "id" = ${uuidSql("read", "5")}`,
  ancient: `UPDATE "User" SET "createdAt" = '0044-03-15 12:00:00 BC' WHERE "id" = ${uuidSql("user", "2")}`,
  extraLabel: `ALTER TYPE "Team" ADD VALUE 'GREEN'`,
  greenMember: `UPDATE "User" SET "team" = 'GREEN' WHERE "id" = ${uuidSql("user", "4")}`,
  textRole: `ALTER TABLE "User" ALTER "role" DROP DEFAULT, ALTER "role" TYPE text USING "role"::text; UPDATE "User" SET "role" = 'OWNER' WHERE "id" = ${uuidSql("user", "1")}`,
  capitals: `ALTER TABLE "User" ADD "address" jsonb; INSERT INTO "User" ("id", "updatedAt", "email", "firstName", "team") VALUES ('twin', '2026-01-01', 'MEMBER7@example.com', 'Twin', 'RED')`,
  orphans: `ALTER TABLE "PostRead" DROP CONSTRAINT "PostRead_userId_fkey"; UPDATE "PostRead" SET "userId" = 'nobody' WHERE "id" = ${uuidSql("read", "7")}; ALTER TABLE "Session" DROP CONSTRAINT "Session_userId_fkey"; UPDATE "Session" SET "userId" = 'nobody' WHERE "id" = ${uuidSql("session", "7")}`,
  unknownColumns: `ALTER TABLE "User" ADD "nickname" text, ADD "score" numeric(10, 2), ADD "settings" jsonb; UPDATE "User" SET "nickname" = "firstName" || 'y', "score" = 1.50, "settings" = '{"a": [1, 2]}' WHERE "discordId" IS NOT NULL`,
  unknownSessionColumn: `ALTER TABLE "Session" ADD "userAgent" text; UPDATE "Session" SET "userAgent" = 'Firefox'`,
  unknownTable: `CREATE TABLE "Bookmark" ("userId" text, "slug" text, "at" timestamptz DEFAULT now(), PRIMARY KEY ("userId", "slug")); INSERT INTO "Bookmark" SELECT "id", 'x', '2022-01-01' FROM "User"`,
  unknownTableWithoutKey: `CREATE TABLE "Log" ("line" text); INSERT INTO "Log" VALUES ('one'), ('one'), (NULL)`,
  emptySlug: `UPDATE "PostRead" SET "postSlug" = '' WHERE "id" = ${uuidSql("read", "9")}`,
  noTeam: `ALTER TABLE "User" ALTER "team" DROP NOT NULL; UPDATE "User" SET "team" = NULL WHERE "id" = ${uuidSql("user", "6")}`,
  uuids: `ALTER TABLE "PostRead" ALTER "id" TYPE uuid USING "id"::uuid, ALTER "clientId" TYPE uuid USING "clientId"::uuid`,
  /** With citext, PostgreSQL's unique index ignores case; ours does not. */
  citext: `CREATE EXTENSION citext; ALTER TABLE "User" ALTER "email" TYPE citext`,
  dateOnly: `ALTER TABLE "Session" ALTER "expirationDate" TYPE date`,
  view: `CREATE VIEW "Reader" AS SELECT DISTINCT "userId" FROM "PostRead" WHERE "userId" IS NOT NULL`,
  partitions: `ALTER TABLE "PostRead" RENAME TO "PostRead_old"; CREATE TABLE "PostRead" (LIKE "PostRead_old" INCLUDING DEFAULTS, PRIMARY KEY ("id")) PARTITION BY HASH ("id");
    CREATE TABLE "PostRead_0" PARTITION OF "PostRead" FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE "PostRead_1" PARTITION OF "PostRead" FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO "PostRead" SELECT * FROM "PostRead_old"; DROP TABLE "PostRead_old"; ALTER TABLE "PostRead" ADD CONSTRAINT "PostRead_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE`,
  missingColumn: `ALTER TABLE "User" DROP "convertKitId"`,
  missingTable: `DROP TABLE "Call"`,
  noKey: `ALTER TABLE "PostRead" DROP CONSTRAINT "PostRead_pkey"`,
  wrongType: `ALTER TABLE "User" ALTER "discordId" TYPE bigint USING "discordId"::bigint`,
  bigCall: `INSERT INTO "Call" SELECT 'big', '2026-01-01', '2026-01-01', 'Big', 'A big one', 'k', ${uuidSql("user", "1")}, 'data:audio/webm;base64,' || repeat('ABCDEFGH', 2500000)`,
} as const;

/** Computes the id of the `number`th row (from 1) of a createSourceSite table. */
export async function readSourceId(
  url: string,
  what: "user" | "session" | "call" | "read" | "client",
  number: number,
): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(`SELECT ${uuidSql(what, String(number))} AS id`)).rows[0]
      .id as string;
  } finally {
    await client.end();
  }
}

const USAGE = `Usage: node tests/support/source-site.ts --url URL [--reads N] [--small] [--odd NAME,...]

Creates a source site in the empty database at URL: 10,000 users, 20,000 sessions, 300 calls of 400 kB, 500,000 reads.

  --reads N     how many reads
  --small       60 users, 90 sessions, 8 calls, 2,000 reads
  --odd NAMES   also these peculiarities: ${Object.keys(ODDITIES).join(", ")}`;

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      url: { type: "string" },
      reads: { type: "string" },
      small: { type: "boolean" },
      odd: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const odd = (values.odd?.split(",") ?? []) as (keyof typeof ODDITIES)[];
  const unknown = odd.find((name) => !(name in ODDITIES));
  const wrong = !values.url
    ? "--url: the connection string of an empty database"
    : unknown !== undefined
      ? `--odd: there is no ${unknown}`
      : values.reads && !/^\d+$/.test(values.reads)
        ? "--reads: must be a number"
        : null;
  if (values.help || wrong) {
    (values.help ? console.log : console.error)(values.help ? USAGE : `${wrong}\n\n${USAGE}`);
    process.exit(values.help ? 0 : 2);
  }
  await createSourceSite(values.url!, {
    ...(values.small ? SMALL_SIZES : FULL_SIZES),
    ...(values.reads && { reads: Number(values.reads) }),
  });
  for (const name of odd) await runSql(values.url!, ODDITIES[name]);
}
