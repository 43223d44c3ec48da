// Sends every write directly to a replica, which must respond only with a replay. Without a
// primary, each write must be refused and the form must keep its input. Next's manifests list the
// entry points.

import { type IncomingHttpHeaders, request as httpRequest } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { INTERNAL_HEADER, signInternalRequest } from "#lib/core/internal-request-signature.ts";
import { createTxidCookie } from "#lib/replication/read-your-writes.ts";
import { issueDwellToken } from "#lib/reading/dwell-token.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { readFilesBelow, startGitHost } from "#tests/support/git-host.ts";
import { ACTION_CASES } from "#tests/support/attack/action-cases.ts";
import {
  ACTION_TRANSPORTS,
  type ActionTransport,
  makeActionRequest,
  parseActionResult,
} from "#tests/support/attack/server-action-request.ts";
import { type HandlerCase, splitFieldsAndCookie } from "#tests/support/attack/cases.ts";
import { HANDLER_CASES, makeJsonRequest } from "#tests/support/attack/handler-cases.ts";
import {
  SAME_ORIGIN_HEADERS,
  USER_AGENT,
  nextAddress,
} from "#tests/support/attack/attack-client.ts";
import { readBuiltActions, readBuiltRoutes } from "#tests/support/attack/build-manifest.ts";
import {
  HOST,
  MAIL_EVENT_SECRET,
  ORIGIN,
  REPOSITORY,
  WEBHOOK_SECRET,
} from "#tests/support/attack/attack-server.ts";
import {
  type AttackFixture,
  insertSession,
  insertAttackFixture,
} from "#tests/support/attack/attack-fixture.ts";
import { SECRET } from "#tests/support/e2e/site-under-test.ts";
import type { Cluster } from "#cli/cluster/cluster.ts";
import { test as base, expect } from "#tests/support/cluster/fixtures.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";

// The site's functions make tokens here, with its secret.
overrideEnv({ SESSION_SECRET: SECRET, SITE_URL: ORIGIN });

const REPLICA = "ams-1";
const POST = "one-door-for-writes";
const DAY_MS = 86_400_000;
const AT_ONCE = 6;
/** Each refusal first waits two seconds for a primary. */
const REFUSALS_AT_ONCE = 24;

// Uses https and posts on a Git host, so that every handler exists.
const test = base.extend({
  siteEnv: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads a fixture's dependencies from the pattern.
    async ({}, use) => {
      const git = await startGitHost({ repository: REPOSITORY });
      git.commit(readFilesBelow("content", "content"));
      await use({
        SITE_URL: ORIGIN,
        SESSION_SECRET: SECRET,
        LOG_LEVEL: "warn",
        // The log must stay empty, also on a busy machine.
        SLOW_QUERY_MS: "60000",
        CONTENT_SOURCE: "git",
        CONTENT_GIT_API: git.api,
        CONTENT_GIT_REPOSITORY: REPOSITORY,
        CONTENT_WEBHOOK_SECRET: WEBHOOK_SECRET,
        NEWSLETTER_WEBHOOK_SECRET: MAIL_EVENT_SECRET,
        FETCH_ALLOW_PRIVATE: git.address,
        EMBED_PROVIDER_ORIGIN: "http://127.0.0.1:9",
      });
      await git.close();
    },
    { scope: "worker" },
  ],
});

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string | string[] | undefined>;
  readonly body?: string | Uint8Array;
  readonly cookie?: string;
}

interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
}

/** Sends it directly to the node. Abandons an endless stream after a second. */
function ask(node: ClusterNode, { method, path, headers = {}, body, cookie }: Asked): Promise<Got> {
  const { hostname, port } = new URL(node.url);
  const all = Object.fromEntries(
    Object.entries({
      host: HOST,
      "user-agent": USER_AGENT,
      "fly-client-ip": nextAddress(),
      cookie,
      ...(body !== undefined && { "content-length": String(Buffer.byteLength(body)) }),
      ...headers,
    }).filter(([, value]) => value !== undefined),
  ) as Record<string, string>;
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { hostname, port, method, path, headers: all, timeout: 30_000 },
      (response) => {
        const chunks: Buffer[] = [];
        const end = () => {
          clearTimeout(timer);
          const bytes = Buffer.concat(chunks);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            bytes,
            text: bytes.toString("utf8"),
          });
          request.destroy();
        };
        const timer = response.headers["content-type"]?.startsWith("text/event-stream")
          ? setTimeout(end, 1_000)
          : undefined;
        response
          .on("data", (chunk: Buffer) => chunks.push(chunk))
          .on("end", end)
          .on("error", reject);
      },
    );
    request
      .on("timeout", () => request.destroy(new Error(`${method} ${path}: no answer`)))
      .on("error", reject);
    request.end(body);
  });
}

const rightful = ({ requiredRole }: { requiredRole: string }, { owner, admin }: AttackFixture) =>
  requiredRole === "anyone" ? undefined : requiredRole === "admin" ? admin.cookie : owner.cookie;
const cookies = (...parts: (string | null | undefined)[]) =>
  parts.filter(Boolean).join("; ") || undefined;

interface Stage {
  readonly fixture: AttackFixture;
  readonly db: Database.Database;
  readonly node: ClusterNode;
  readonly primary: string;
  end(): void;
}

/**
 * Prepares members and the primary's database for the cases. Wait until all nodes are in sync
 * before sending to the replica.
 */
async function setUp(cluster: Cluster): Promise<Stage> {
  const primary = await cluster.waitForPrimary();
  const node = cluster.getNode(REPLICA);
  const db = new Database(primary.databaseFile, { timeout: 5_000 });
  db.pragma("foreign_keys = ON");
  return {
    fixture: await insertAttackFixture(db),
    db,
    node,
    primary: primary.name,
    end: () => db.close(),
  };
}

interface Entry {
  readonly name: string;
  readonly asked: Asked;
  /** Form input of actions. */
  readonly fields?: Readonly<Record<string, string>>;
}

interface ActionEntry extends Entry {
  readonly id: string;
  readonly way: ActionTransport;
}

/** Lists every action, as sent by a form and by a script, by an authorized member. */
async function actionEntries({ fixture, db }: Stage): Promise<ActionEntry[]> {
  const entries: ActionEntry[] = [];
  for (const { id, name } of readBuiltActions()) {
    const given = ACTION_CASES[name];
    expect(given, `${name} is in tests/support/attack/action-cases.ts`).toBeDefined();
    if (!given) continue;
    const { fields, cookie: extra } = splitFieldsAndCookie(
      await given.makeValidFields({ fixture, db }),
    );
    const page = typeof given.page === "string" ? given.page : given.page(fixture);
    // The form for an email link is on the page that the link opens.
    const path = fields.token ? `${page}?token=${encodeURIComponent(fields.token)}` : page;
    for (const way of ACTION_TRANSPORTS) {
      const request = makeActionRequest(way, id, path, fields);
      entries.push({
        id,
        way,
        name: `${name} as a ${way}`,
        fields,
        asked: {
          ...request,
          headers: { ...request.headers, ...SAME_ORIGIN_HEADERS },
          cookie: cookies(rightful(given, fixture), extra),
        },
      });
    }
  }
  return entries;
}

/** Handlers that respond from this instance, or reject the request before a write. */
const LOCAL: Readonly<Record<string, string>> = {
  "POST /internal/cache": "deletes an entry from this instance's own cache",
  "POST /login/passkey/options": "signs a challenge, and writes nothing",
  "POST /mcp": "searches and reads posts",
  "POST /me/passkeys/options": "signs a challenge, and writes nothing",
};
/** Reads of a client's own write, which the primary serves. */
const READS_AT_PRIMARY = ["GET /calls/upload/[id]"];

async function handlerEntries(context: Stage): Promise<{ writes: Entry[]; reads: Entry[] }> {
  const [writes, reads]: [Entry[], Entry[]] = [[], []];
  for (const [name, given] of Object.entries<HandlerCase>(HANDLER_CASES)) {
    // A beacon requires a token that is old enough.
    const ready =
      name === "POST /reads"
        ? makeJsonRequest("/reads", {
            token: issueDwellToken({ slug: POST, nowMs: Date.now() - DAY_MS / 2 }),
            slug: POST,
          })
        : given.makeValidRequest(context);
    const [method = ""] = name.split(" ");
    const { path, headers, body } = ready;
    const entry = {
      name,
      asked: {
        method,
        path,
        ...(headers && { headers }),
        ...(body !== undefined && { body }),
        cookie: cookies(rightful(given, context.fixture), ready.cookie),
      },
    };
    ((method === "GET" && !READS_AT_PRIMARY.includes(name)) || Object.hasOwn(LOCAL, name)
      ? reads
      : writes
    ).push(entry);
  }
  return { writes, reads };
}

/** Page views that a page or the middleware replays. */
async function pageEntries({ db, fixture, node }: Stage): Promise<Entry[]> {
  const due = await insertSession(db, fixture.neighbor.id, { expiresInMs: 100 * DAY_MS });
  const position = await node.readPosition();
  const ahead = createTxidCookie(position!.txid + 1_000).split(";")[0]!;
  return [
    {
      name: "a link of an email that is unknown here (page)",
      asked: { method: "GET", path: `/login/confirm?token=${"x".repeat(43)}` },
    },
    {
      name: "a code of another screen that is not known here (page)",
      asked: { method: "GET", path: `/login/device?token=${"x".repeat(43)}` },
    },
    {
      name: "a session due for renewal (middleware)",
      asked: { method: "GET", path: "/teams", cookie: due.cookie },
    },
    {
      name: "a write that has not arrived (middleware)",
      asked: { method: "GET", path: "/teams", cookie: ahead },
    },
  ];
}

function logOf(node: ClusterNode): string {
  const file = join(node.folder, "log");
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** Returns the lines that the site logs during `work`, without LiteFS's. */
async function saidDuring(node: ClusterNode, work: () => Promise<void>): Promise<string[]> {
  const from = logOf(node).length;
  await work();
  return logOf(node)
    .slice(from)
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("level="));
}

async function each<T>(
  all: readonly T[],
  work: (one: T) => Promise<void>,
  concurrency = AT_ONCE,
): Promise<void> {
  const queue = [...all];
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (let one = queue.shift(); one !== undefined; one = queue.shift()) await work(one);
    }),
  );
}

test("no handler of the build is missing from the table", async ({ cluster }) => {
  const built: string[] = [];
  for (const { route } of readBuiltRoutes().filter(({ kind }) => kind === "handler")) {
    // Next responds to OPTIONS with a handler's methods.
    const { headers } = await ask(cluster.getNode(REPLICA), {
      method: "OPTIONS",
      path: route.replace(/\[\.{0,3}[^\]]+\]/g, "x"),
    });
    built.push(
      ...(headers.allow ?? "GET")
        .split(/,\s*/)
        .filter((method) => !["OPTIONS", "HEAD"].includes(method))
        .map((method) => `${method} ${route}`),
    );
  }
  expect(
    built.filter((name) => !Object.hasOwn(HANDLER_CASES, name)),
    "Add each of these to tests/support/attack/handler-cases.ts.",
  ).toEqual([]);
  expect(
    Object.keys(HANDLER_CASES).filter((name) => !built.includes(name)),
    "Remove from tests/support/attack/handler-cases.ts what the build does not have.",
  ).toEqual([]);
});

test("every write on a replica is replayed to the primary, and only that", async ({ cluster }) => {
  const context = await setUp(cluster);
  const { writes, reads } = await handlerEntries(context);
  const entries = [...(await actionEntries(context)), ...writes, ...(await pageEntries(context))];
  await cluster.waitUntilInSync();
  const wrong: string[] = [];
  const said = await saidDuring(context.node, () =>
    each(entries, async ({ name, asked }) => {
      const { status, headers, text } = await ask(context.node, asked);
      const shown = {
        status,
        replay: headers["fly-replay"],
        type: headers["content-type"],
        cookies: headers["set-cookie"],
        text: text.slice(0, 300),
      };
      const wanted = {
        status: 409,
        replay: `instance=${context.primary}`,
        type: "text/plain; charset=utf-8",
        cookies: undefined,
        text: "Fly Replay",
      };
      if (JSON.stringify(shown) !== JSON.stringify(wanted))
        wrong.push(`${name}: ${JSON.stringify(shown)}`);
    }),
  );
  expect(wrong).toEqual([]);
  expect(said, "what the site said meanwhile").toEqual([]);

  const replayed: string[] = [];
  await each(reads, async ({ name, asked }) => {
    const { status, headers } = await ask(context.node, asked);
    if (headers["fly-replay"] || status >= 500)
      replayed.push(`${name}: ${status} ${headers["fly-replay"]}`);
  });
  expect(replayed, "what only reads is answered here").toEqual([]);
  console.log(
    `${entries.length} ways to write replayed, ${reads.length} ways to read answered on the replica`,
  );
  context.end();
});

/**
 * Sends the action from the page's form, whose key tells React where to show the result. Returns
 * null if the page has no such form now.
 */
async function fromItsForm(
  node: ClusterNode,
  { asked, ...rest }: Entry & { readonly id: string },
): Promise<Entry | null> {
  const { text } = await ask(node, {
    method: "GET",
    path: asked.path,
    ...(asked.cookie !== undefined && { cookie: asked.cookie }),
  });
  const form = text.split("<form").find((part) => part.includes(rest.id));
  const key = /name="\$ACTION_KEY" value="([^"]+)"/.exec(form ?? "")?.[1];
  const body = Buffer.from(asked.body ?? "").toString("latin1");
  return key === undefined
    ? null
    : {
        ...rest,
        asked: {
          ...asked,
          body: Buffer.from(
            body.replace(
              'name="$ACTION_KEY"\r\n\r\nk\r\n',
              () => `name="$ACTION_KEY"\r\n\r\n${key}\r\n`,
            ),
            "latin1",
          ),
        },
      };
}

/** Returns the values that the form shows again. */
const TYPED = new Set([
  "email",
  "firstName",
  "title",
  "description",
  "keywords",
  "name",
  "reason",
  "note",
  "transcript",
]);
const escaped = (text: string) =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#x27;");

test("without a primary every write is refused with Retry-After, and forms keep their input", async ({
  cluster,
}) => {
  test.setTimeout(300_000);
  const context = await setUp(cluster);
  const { node } = context;
  const all = await actionEntries(context);
  const { writes } = await handlerEntries(context);
  const [, , due] = await pageEntries(context);
  context.end();
  await cluster.waitUntilInSync();
  const actions: Entry[] = all.filter(({ way }) => way === "call");
  const noForm: string[] = [];
  await each(
    all.filter(({ way }) => way === "form"),
    async (entry) => {
      const real = await fromItsForm(node, entry);
      if (real) actions.push(real);
      else noForm.push(entry.name);
    },
  );
  // Some admin forms require a call or an issue in another state, a cache entry, or a draft; consent,
  // a newsletter; and the list of saved posts, a saved post.
  expect(
    noForm.filter(
      (name) =>
        !/^app\/(admin\/(calls|cache|newsletter|posts)\/|me\/actions\.ts#(changeConsent|removeSavedPost))/.test(
          name,
        ),
    ),
    "forms that stand on their page",
  ).toEqual([]);
  await (await cluster.waitForStandby()).stop();
  await cluster.getNode(context.primary).stop();
  await waitUntil(
    "the replica knows no primary",
    30_000,
    async () => (await node.readLitefsInfo())?.primary ?? null,
    (known) => known !== null && !known.hostname,
  );

  const wrong: string[] = [];
  const said = await saidDuring(node, async () => {
    await each(
      actions,
      async ({ name, asked, fields = {} }) => {
        const got = await ask(node, asked);
        const { status, message } = parseActionResult(got);
        const about = `${name}: ${got.status} retry-after ${got.headers["retry-after"]} ${status} ${message}`;
        if (
          got.status !== 503 ||
          !got.headers["retry-after"] ||
          got.headers["fly-replay"] ||
          got.headers["set-cookie"]
        )
          wrong.push(about);
        if (status !== "refused" || !message.includes("Writes are paused")) wrong.push(about);
        for (const [field, text] of Object.entries(fields))
          if (
            TYPED.has(field) &&
            text &&
            !got.text.includes(text) &&
            !got.text.includes(escaped(text))
          )
            wrong.push(`${name} lost ${field}`);
      },
      REFUSALS_AT_ONCE,
    );
    await each(
      writes,
      async ({ name, asked }) => {
        const got = await ask(node, asked);
        if (
          got.status !== 503 ||
          !got.headers["retry-after"] ||
          !got.text.includes("Writes are paused")
        )
          wrong.push(`${name}: ${got.status} ${got.text.slice(0, 200)}`);
      },
      REFUSALS_AT_ONCE,
    );
  });
  expect(wrong).toEqual([]);
  console.log(
    `${actions.length + writes.length} ways to write refused, ${noForm.length} forms that no page shows now`,
  );
  expect(
    said.filter((line) => /⨯|"level":"error"/.test(line) && !/litefs|launch|replica/.test(line)),
    "what the site said meanwhile",
  ).toEqual([]);

  // A page for a session that is due for renewal is served without the renewal.
  const page = await ask(node, due!.asked);
  expect([page.status, page.headers["set-cookie"], page.headers["fly-replay"]]).toEqual([
    200,
    undefined,
    undefined,
  ]);
  expect(
    (
      await ask(node, {
        method: "GET",
        path: "/internal/status",
        headers: { [INTERNAL_HEADER]: signInternalRequest("status") },
      })
    ).text,
  ).toContain('"role":"unknown"');
});
