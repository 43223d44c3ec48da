// Measures uploads of two-minute calls in parts, compared with a handler that discards the same
// bytes and with SQLite alone writing the same rows, and the server's memory meanwhile:
// npm run bench -- calls

import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import { makeOpusWebm } from "#tests/support/audio.ts";
import { NoJsBrowser, findForm } from "#tests/support/no-js-browser.ts";
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
import { BENCH_SESSION_SECRET, startBenchSite } from "./support/bench-site.ts";

const DIR = ".data/bench-calls";
const PORT = 3130;
const ROUNDS = readOption("rounds", 3);
const CALLS = readOption("calls", 100);
const CONCURRENCY = readOption("together", 4);
const PART_BYTES = 524_288;

rmSync(DIR, { recursive: true, force: true });
mkdirSync(DIR, { recursive: true });
writeArticles(join(DIR, "content"));
const file = join(DIR, "lectern.db");
await createBenchDatabase(file, { reads: 50_000, slugs: ["short", "medium", "long"] });
const users = new Database(file);
const members = users
  .prepare(`SELECT "id" FROM "User" LIMIT ?`)
  .pluck()
  .all((ROUNDS + 1) * CALLS) as string[];
const cookies: { name: string; value: string }[] = [];
for (const id of members) cookies.push(await insertMemberSession(users, id, BENCH_SESSION_SECRET));
users.close();

const site = await startBenchSite({
  port: PORT,
  dataDir: DIR,
  contentDir: join(DIR, "content"),
  env: { TRUST_PROXY: "fly" },
});
const origin = `http://localhost:${PORT}`;
const sameOrigin = { origin, "sec-fetch-site": "same-origin" };
const splitIntoParts = (bytes: Uint8Array<ArrayBuffer>) =>
  Array.from({ length: Math.ceil(bytes.length / PART_BYTES) }, (_, i) =>
    bytes.subarray(i * PART_BYTES, (i + 1) * PART_BYTES),
  );

function browserFor(member: number): NoJsBrowser {
  const browser = new NoJsBrowser(origin, {
    "fly-client-ip": `10.0.${member >> 8}.${member & 255}`,
  });
  const { name, value } = cookies[member]!;
  browser.cookies.set(name, value);
  return browser;
}
async function assertStatus(
  name: string,
  response: Promise<{ status: number; text: string }>,
  status: number,
): Promise<void> {
  const { status: actual, text } = await response;
  if (actual !== status) throw new Error(`${name} answered ${actual}: ${text.slice(0, 300)}`);
}

const form = findForm((await browserFor(0).get("/calls/record")).text, ["title", "id"]);
if (!form) throw new Error("/calls/record has no form for a call");
// All members send this form, so it must not name its owner.
const record = { ...form, fields: form.fields.filter(([name]) => name !== "owner") };

async function uploadCall(member: number): Promise<void> {
  const browser = browserFor(member);
  const bytes = makeOpusWebm({ seconds: 119, seed: member });
  const id = randomUUID();
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const json = { ...sameOrigin, "content-type": "application/json" };
  await assertStatus(
    "The announcement",
    browser.request("/calls/upload", {
      method: "POST",
      body: JSON.stringify({ id, size: bytes.length, sha256 }),
      headers: json,
    }),
    200,
  );
  for (const [number, part] of splitIntoParts(bytes).entries()) {
    await assertStatus(
      "A part",
      browser.request(`/calls/upload/${id}/${number}`, {
        method: "PUT",
        body: part,
        headers: { ...sameOrigin, "content-type": "application/octet-stream" },
      }),
      204,
    );
  }
  const call = {
    id: randomUUID(),
    uploadId: id,
    title: `A question, number ${member}`,
    description: "How do you keep two minutes of sound until the server has all of it?",
    keywords: "bench, calls",
  };
  await assertStatus(
    "The call",
    browser.submitForm("/calls/record", record, call, { follow: false }),
    303,
  );
}
async function sendDiscardedCall(member: number): Promise<void> {
  const browser = browserFor(member);
  for (const part of splitIntoParts(makeOpusWebm({ seconds: 119, seed: member }))) {
    await assertStatus(
      "Discarding",
      browser.request("/calls/upload/discard", { method: "PUT", body: part, headers: sameOrigin }),
      204,
    );
  }
}

const rss: number[] = [];
async function measureRate(
  work: (member: number) => Promise<void>,
  from: number,
  latencies: number[],
): Promise<number> {
  const startedMs = performance.now();
  let next = from;
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (next < from + CALLS) {
        const callStartedMs = performance.now();
        await work(next++);
        latencies.push(performance.now() - callStartedMs);
        rss.push(site.rssMb());
      }
    }),
  );
  return CALLS / ((performance.now() - startedMs) / 1_000);
}

/** Returns the rate at which SQLite alone writes the rows of a call: its parts, then the call. */
function measureSqliteRate(count: number): number {
  const file = join(DIR, "raw.db");
  for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
  const db = new Database(file);
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = NORMAL");
  db.exec("CREATE TABLE part (n INTEGER PRIMARY KEY, bytes BLOB); CREATE TABLE call (id TEXT)");
  const insertPart = db.prepare("INSERT INTO part (bytes) VALUES (?)");
  const insertCall = db.prepare("INSERT INTO call VALUES (?)");
  const recordings = Array.from({ length: 5 }, (_, seed) => makeOpusWebm({ seconds: 119, seed }));
  const startedMs = performance.now();
  for (let i = 0; i < count; i++) {
    for (const part of splitIntoParts(recordings[i % recordings.length]!)) insertPart.run(part);
    insertCall.run(randomUUID());
  }
  const perSecond = count / ((performance.now() - startedMs) / 1_000);
  db.close();
  return perSecond;
}

const size = makeOpusWebm({ seconds: 119 }).length;
const rates = { ours: [] as number[], discarded: [] as number[] };
const latencies: number[] = [];
const idleMb = site.rssMb();
await measureRate(uploadCall, 0, []); // warm-up
const perRoundMb: number[] = [];
for (let i = 1; i <= ROUNDS; i++) {
  rss.length = 0;
  rates.ours.push(await measureRate(uploadCall, i * CALLS, latencies));
  perRoundMb.push(Math.max(...rss));
  rates.discarded.push(await measureRate(sendDiscardedCall, i * CALLS, []));
}
await site.stop();
const db = new Database(file, { readonly: true });
const stored = db
  .prepare(
    `SELECT COUNT(*) AS calls, MIN("size") AS least, (SELECT COUNT(*) FROM "UploadPart" p JOIN "Upload" u ON u."id" = p."uploadId" WHERE u."callId" IS NULL) AS parts
     FROM "Call" c JOIN "Upload" u ON u."callId" = c."id"`,
  )
  .get() as { calls: number; least: number; parts: number };
db.close();
if (stored.calls !== (ROUNDS + 1) * CALLS || stored.parts !== 0 || stored.least < size)
  throw new Error(`Stored: ${JSON.stringify(stored)}`);

const raw = measureSqliteRate(100);
const [ours, discarded] = [median(rates.ours), median(rates.discarded)];
printTable(
  ["", "calls/s", "MB/s"],
  [
    ["a call: announced, two parts, probed, stored", round(ours, 1), round((ours * size) / 1e6, 1)],
    [
      "the same parts, discarded by a handler",
      round(discarded, 1),
      round((discarded * size) / 1e6, 1),
    ],
    ["the rows by SQLite alone", round(raw, 1), round((raw * size) / 1e6, 1)],
  ],
);
console.log(
  `\n${stored.calls} calls of ${round(size / 1e6)} MB are stored, ${CONCURRENCY} concurrently. Memory: ${idleMb} MB idle, at most ${perRoundMb.join(", ")} MB in each hundred. p99 ${round(percentile(latencies, 99), 0)} ms.\n`,
);
printReport(
  "calls",
  {
    "÷ discarded": round(ours / discarded),
    "÷ rows alone": round(ours / raw),
    "last hundred's memory ÷ first's": round(perRoundMb.at(-1)! / perRoundMb[0]!),
  },
  {
    callMb: round(size / 1e6, 3),
    callsPerSecond: round(ours, 1),
    discardedPerSecond: round(discarded, 1),
    rowsAlonePerSecond: round(raw, 1),
    idleMb,
    perRoundMb,
    p99Ms: round(percentile(latencies, 99), 0),
  },
);
