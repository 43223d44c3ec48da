// Measures logins by email (request, receive, enter the code) with 50,000 members, compared with
// two empty forms on the same server and with SQLite alone writing the same rows:
// npm run bench -- login

import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { type Form, NoJsBrowser, findForm } from "#tests/support/no-js-browser.ts";
import { startSmtpServer } from "#tests/support/smtp-server.ts";
import { writeArticles } from "./support/articles.ts";
import { createBenchDatabase } from "./support/bench-database.ts";
import {
  median,
  readOption,
  percentile,
  printReport,
  round,
  printTable,
} from "./support/measurements.ts";
import { startBenchSite } from "./support/bench-site.ts";

const DIR = ".data/bench-login";
const PORT = 3129;
const USERS = 50_000;
const ROUNDS = readOption("rounds", 5);
const LOGINS = readOption("logins", 300);
const CONCURRENCY = readOption("together", 16);

rmSync(DIR, { recursive: true, force: true });
mkdirSync(DIR, { recursive: true });
writeArticles(join(DIR, "content"));
const file = join(DIR, "lectern.db");
await createBenchDatabase(file, {
  reads: 500_000,
  slugs: ["short", "medium", "long"],
  users: USERS,
});

const smtp = await startSmtpServer();
// Rate limits count by address, so each member comes from a different one.
const site = await startBenchSite({
  port: PORT,
  dataDir: DIR,
  contentDir: join(DIR, "content"),
  env: { TRUST_PROXY: "fly", SMTP_URL: smtp.url },
});
const origin = `http://localhost:${PORT}`;
const browser = () =>
  new NoJsBrowser(origin, {
    "fly-client-ip": `${1 + Math.floor(Math.random() * 220)}.${Math.floor(Math.random() * 256)}.${Math.floor(Math.random() * 256)}.${1 + Math.floor(Math.random() * 254)}`,
  });

const requireForm = (html: string, name: string): Form => {
  const form = findForm(html, [name]);
  if (!form) throw new Error(`No form with ${name}`);
  return form;
};

/** Returns the code of the newest email to an address. The form's response waits for the email. */
function codeFor(email: string): string {
  for (let i = smtp.emails.length - 1; i >= 0; i--) {
    const message = smtp.emails[i]!;
    if (message.to.includes(email)) return /^(\d{6})$/m.exec(message.text)?.[1] as string;
  }
  throw new Error(`No email to ${email}`);
}

const firstBrowser = browser();
const emailForm = requireForm((await firstBrowser.get("/login")).text, "email");
await firstBrowser.submitForm("/login", emailForm, { email: "0@example.test" }, { follow: false });
const codeForm = requireForm((await firstBrowser.get("/login/code")).text, "code");
const emptyForm = requireForm((await firstBrowser.get("/baseline/action")).text, "email");

let member = 0;
async function logIn(): Promise<void> {
  const email = `${++member % USERS}@example.test`;
  const client = browser();
  const requested = await client.submitForm("/login", emailForm, { email }, { follow: false });
  if (requested.status !== 303)
    throw new Error(`The request answered ${requested.status}: ${requested.text.slice(0, 200)}`);
  const loggedIn = await client.submitForm(
    "/login/code",
    codeForm,
    { code: codeFor(email) },
    { follow: false },
  );
  if (loggedIn.status !== 303 || !client.cookies.has("session"))
    throw new Error(`The code answered ${loggedIn.status}: ${loggedIn.text.slice(0, 200)}`);
}
async function submitEmptyFormTwice(): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const { status } = await browser().submitForm("/baseline/action", emptyForm, {
      email: "a@example.test",
    });
    if (status !== 200) throw new Error(`The empty action answered ${status}`);
  }
}

async function measureRate(
  work: () => Promise<void>,
  count: number,
  latencies: number[],
): Promise<number> {
  const startedMs = performance.now();
  let remaining = count;
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (remaining-- > 0) {
        const requestMs = performance.now();
        await work();
        latencies.push(performance.now() - requestMs);
      }
    }),
  );
  return count / ((performance.now() - startedMs) / 1_000);
}

/** Returns the rate at which SQLite alone writes the rows of a login. */
function measureSqliteRate(count: number): number {
  const raw = join(DIR, "raw.db");
  for (const suffix of ["", "-wal", "-shm"]) rmSync(raw + suffix, { force: true });
  const source = new Database(file, { readonly: true });
  source.exec(`VACUUM INTO '${raw}'`);
  source.close();
  const db = new Database(raw);
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = NORMAL");
  db.pragma("foreign_keys = ON");
  const hash = () => createHash("sha256").update(randomBytes(16)).digest("hex");
  const insertChallenge = db.prepare(
    `INSERT INTO "LoginChallenge" ("tokenHash", "browserHash", "codeHash", "email", "createdAt", "expiresAt") VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const useChallenge = db.prepare(
    `UPDATE "LoginChallenge" SET "usedAt" = ? WHERE "tokenHash" = ? AND "usedAt" IS NULL`,
  );
  const findUser = db.prepare(`SELECT "id" FROM "User" WHERE "email" = ?`);
  const insertSession = db.prepare(
    `INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES (?, ?, ?, ?)`,
  );
  const insertInfo = db.prepare(
    `INSERT INTO "SessionInfo" ("sessionId", "device", "lastSeenAt") VALUES (?, 'x', ?)`,
  );
  const startedMs = performance.now();
  for (let i = 0; i < count; i++) {
    const token = hash();
    const now = Date.now();
    db.transaction(() =>
      insertChallenge.run(token, hash(), hash(), `${i}@example.test`, now, now + 1),
    )();
    db.transaction(() => {
      useChallenge.run(now, token);
      const session = hash();
      insertSession.run(
        session,
        now,
        (findUser.get(`${i}@example.test`) as { id: string }).id,
        now + 1,
      );
      insertInfo.run(session, now);
    })();
  }
  const perSecond = count / ((performance.now() - startedMs) / 1_000);
  db.close();
  return perSecond;
}

const rates = {
  "login (two forms, one email)": [] as number[],
  "two empty forms": [] as number[],
};
const latencies: number[] = [];
const emptyLatencies: number[] = [];
for (let i = 0; i <= ROUNDS; i++) {
  // The first round warms up.
  const ours = await measureRate(logIn, LOGINS, i === 0 ? [] : latencies);
  const empty = await measureRate(submitEmptyFormTwice, LOGINS, i === 0 ? [] : emptyLatencies);
  smtp.emails.length = 0;
  if (i === 0) continue;
  rates["login (two forms, one email)"].push(ours);
  rates["two empty forms"].push(empty);
}
const rssMb = site.rssMb();
await site.stop();
await smtp.close();
const db = new Database(file, { readonly: true });
const sessions = (db.prepare(`SELECT COUNT(*) AS n FROM "Session"`).get() as { n: number }).n;
db.close();
if (sessions < (ROUNDS + 1) * LOGINS)
  throw new Error(`${sessions} sessions for ${(ROUNDS + 1) * LOGINS} logins`);

const raw = measureSqliteRate(5_000);
const ours = median(rates["login (two forms, one email)"]);
const empty = median(rates["two empty forms"]);
printTable(
  ["", "per second", "p50 ms", "p99 ms"],
  [
    [
      "login (two forms, one email)",
      round(ours, 0),
      round(percentile(latencies, 50), 0),
      round(percentile(latencies, 99), 0),
    ],
    [
      "two empty forms",
      round(empty, 0),
      round(percentile(emptyLatencies, 50), 0),
      round(percentile(emptyLatencies, 99), 0),
    ],
    ["the rows by SQLite alone", round(raw, 0), "", ""],
  ],
);
console.log(
  `\n${sessions} sessions of ${USERS} members are stored; ${CONCURRENCY} concurrent logins; the server uses ${rssMb} MB.\n`,
);
printReport(
  "login",
  { "÷ two empty forms": round(ours / empty) },
  {
    loginsPerSecond: round(ours, 0),
    p50Ms: round(percentile(latencies, 50), 0),
    p99Ms: round(percentile(latencies, 99), 0),
    emptyPerSecond: round(empty, 0),
    emptyP50Ms: round(percentile(emptyLatencies, 50), 0),
    emptyP99Ms: round(percentile(emptyLatencies, 99), 0),
    rowsAlonePerSecond: round(raw, 0),
    rssMb,
  },
);
