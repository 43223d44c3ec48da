// npm run bench -- login: whole log-ins by mail (ask, receive, type the code) on a site with 50,000 members, beside two forms that do
// nothing on the same server, and the same rows written by SQLite alone.

import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { type Form, NoJsBrowser, parseForms } from "#tests/support/no-js-browser.ts";
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
// Limits count by address: each member comes from another one, as they would on a busy day.
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

const formWith = (html: string, name: string): Form => {
  const form = parseForms(html).find(({ editableNames }) => editableNames.includes(name));
  if (!form) throw new Error(`No form with ${name}`);
  return form;
};

/** The newest mail to an address, as the server has it: log-ins wait for it, so it is there when the form has answered. */
function codeFor(email: string): string {
  for (let i = smtp.emails.length - 1; i >= 0; i--) {
    const mail = smtp.emails[i]!;
    if (mail.to.includes(email)) return /^(\d{6})$/m.exec(mail.text)?.[1] as string;
  }
  throw new Error(`No mail to ${email}`);
}

const first = browser();
const askForm = formWith((await first.get("/login")).text, "email");
await first.submitForm("/login", askForm, { email: "0@example.test" }, { follow: false });
const codeForm = formWith((await first.get("/login/code")).text, "code");
const emptyForm = formWith((await first.get("/baseline/action")).text, "email");

let member = 0;
async function logIn(): Promise<void> {
  const email = `${++member % USERS}@example.test`;
  const own = browser();
  const asked = await own.submitForm("/login", askForm, { email }, { follow: false });
  if (asked.status !== 303)
    throw new Error(`Asking answered ${asked.status}: ${asked.text.slice(0, 200)}`);
  const done = await own.submitForm(
    "/login/code",
    codeForm,
    { code: codeFor(email) },
    { follow: false },
  );
  if (done.status !== 303 || !own.cookies.has("session"))
    throw new Error(`The code answered ${done.status}: ${done.text.slice(0, 200)}`);
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
  took: number[],
): Promise<number> {
  const startedMs = performance.now();
  let left = count;
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (left-- > 0) {
        const beganMs = performance.now();
        await work();
        took.push(performance.now() - beganMs);
      }
    }),
  );
  return count / ((performance.now() - startedMs) / 1_000);
}

/** The rows of a log-in by SQLite alone, three transactions each, nobody asking. */
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
  const ask = db.prepare(
    `INSERT INTO "LoginChallenge" ("tokenHash", "browserHash", "codeHash", "email", "createdAt", "expiresAt") VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const use = db.prepare(
    `UPDATE "LoginChallenge" SET "usedAt" = ? WHERE "tokenHash" = ? AND "usedAt" IS NULL`,
  );
  const who = db.prepare(`SELECT "id" FROM "User" WHERE "email" = ?`);
  const begin = db.prepare(
    `INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES (?, ?, ?, ?)`,
  );
  const info = db.prepare(
    `INSERT INTO "SessionInfo" ("sessionId", "device", "lastSeenAt") VALUES (?, 'x', ?)`,
  );
  const startedMs = performance.now();
  for (let i = 0; i < count; i++) {
    const token = hash();
    const now = Date.now();
    db.transaction(() => ask.run(token, hash(), hash(), `${i}@example.test`, now, now + 1))();
    db.transaction(() => {
      use.run(now, token);
      const session = hash();
      begin.run(session, now, (who.get(`${i}@example.test`) as { id: string }).id, now + 1);
      info.run(session, now);
    })();
  }
  const perSecond = count / ((performance.now() - startedMs) / 1_000);
  db.close();
  return perSecond;
}

const rates = {
  "log-in (two forms, one mail)": [] as number[],
  "two forms that do nothing": [] as number[],
};
const took: number[] = [];
const emptyTook: number[] = [];
for (let i = 0; i <= ROUNDS; i++) {
  // The first warms up.
  const ours = await measureRate(logIn, LOGINS, i === 0 ? [] : took);
  const empty = await measureRate(submitEmptyFormTwice, LOGINS, i === 0 ? [] : emptyTook);
  smtp.emails.length = 0;
  if (i === 0) continue;
  rates["log-in (two forms, one mail)"].push(ours);
  rates["two forms that do nothing"].push(empty);
}
const rssMb = site.rssMb();
await site.stop();
await smtp.close();
const db = new Database(file, { readonly: true });
const sessions = (db.prepare(`SELECT COUNT(*) AS n FROM "Session"`).get() as { n: number }).n;
db.close();
if (sessions < (ROUNDS + 1) * LOGINS)
  throw new Error(`${sessions} sessions for ${(ROUNDS + 1) * LOGINS} log-ins`);

const raw = measureSqliteRate(5_000);
const ours = median(rates["log-in (two forms, one mail)"]);
const empty = median(rates["two forms that do nothing"]);
printTable(
  ["", "a second", "p50 ms", "p99 ms"],
  [
    [
      "log-in (two forms, one mail)",
      round(ours, 0),
      round(percentile(took, 50), 0),
      round(percentile(took, 99), 0),
    ],
    [
      "two forms that do nothing",
      round(empty, 0),
      round(percentile(emptyTook, 50), 0),
      round(percentile(emptyTook, 99), 0),
    ],
    ["the rows alone, by SQLite", round(raw, 0), "", ""],
  ],
);
console.log(
  `\n${sessions} sessions of ${USERS} members are stored; ${CONCURRENCY} log in at the same time; the server holds ${rssMb} MB.\n`,
);
printReport(
  "login",
  { "÷ two empty forms": round(ours / empty) },
  {
    loginsPerSecond: round(ours, 0),
    p99Ms: round(percentile(took, 99), 0),
    emptyPerSecond: round(empty, 0),
    emptyP99Ms: round(percentile(emptyTook, 99), 0),
    rowsAlonePerSecond: round(raw, 0),
    rssMb,
  },
);
