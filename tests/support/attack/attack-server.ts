// Starts the site under attack: the production build with its own database, configured for https
// behind Fly's proxy.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { applyMigrations } from "#lib/db/migrations.ts";
import { startSiteProcess } from "#tests/support/built-site.ts";
import { fetchJson } from "#tests/support/fetch-json.ts";
import {
  ATTACK_CONTROL_PORT,
  ATTACK_DIR,
  ATTACK_PORT,
  SECRET,
} from "#tests/support/e2e/site-under-test.ts";
import { readFilesBelow, startGitHost } from "#tests/support/git-host.ts";
import { seedCache, shareCache } from "#tests/support/shared-cache.ts";
import { type TestSmtpServer, startSmtpServer } from "#tests/support/smtp-server.ts";

/** The public host name. Requests go to 127.0.0.1 with this Host header. */
export const HOST = "lectern.test";
export const ORIGIN = `https://${HOST}`;
export const WEBHOOK_SECRET = "only-for-the-attack-webhook";
export const MAIL_EVENT_SECRET = "only-for-the-attack-mail-events";
export const REPOSITORY = "ada/site";

/** Memory of the site's process in bytes, after a garbage collection. */
interface Memory {
  readonly heap: number;
  /** Memory of objects outside the heap, such as buffers. */
  readonly external: number;
  /** The resident memory. */
  readonly rss: number;
}

export interface AttackServer {
  readonly smtp: TestSmtpServer;
  /** Returns everything the process has printed. */
  readOutput(): string;
  /** Returns null while the site responds, otherwise its exit code or signal and last output. */
  describeFailure(): Promise<string | null>;
  readMemory(): Promise<Memory>;
  /** Moves the server's clock; 0 resets it. */
  setClock(offsetMs: number): Promise<void>;
  stop(): Promise<void>;
}

const DATABASE_FILE = join(ATTACK_DIR, "lectern.db");
const CONTROL_URL = `http://127.0.0.1:${ATTACK_CONTROL_PORT}`;

/**
 * Waits until the site has recorded the dates of its posts, a write in the background after the
 * start. The tests compare the database before and after a request.
 */
async function waitForBackgroundWrites(): Promise<void> {
  const db = new Database(DATABASE_FILE, { readonly: true });
  const hasRecorded = db.prepare(`SELECT 1 FROM "ContentVersion" WHERE "changesAt" IS NOT NULL`);
  try {
    for (const untilMs = Date.now() + 60_000; !hasRecorded.get();) {
      if (Date.now() > untilMs)
        throw new Error("The site has not recorded the dates of its posts.");
      await sleep(50);
    }
  } finally {
    db.close();
  }
}

/** Starts the site on a new database. Rejects after 60 seconds, or if the process exits. */
export async function startAttackServer(): Promise<AttackServer> {
  rmSync(ATTACK_DIR, { recursive: true, force: true });
  await applyMigrations(DATABASE_FILE, "prisma/migrations");
  seedCache(ATTACK_DIR);
  const smtp = await startSmtpServer();
  const git = await startGitHost({ repository: REPOSITORY });
  git.commit({
    ...readFilesBelow("content", "content"),
    ...readFilesBelow("tests/fixtures/posts", "content/blog"),
  });
  const stopDoubles = () => Promise.all([smtp.close(), git.close()]);

  const site = await startSiteProcess({
    port: ATTACK_PORT,
    modules: ["./tests/support/e2e/control-server.ts"],
    readyPath: "/blog",
    env: {
      ...process.env,
      NODE_ENV: "production",
      DATA_DIR: ATTACK_DIR,
      DATABASE_FILE: "",
      CACHE_FILE: "",
      SITE_URL: ORIGIN,
      SESSION_SECRET: SECRET,
      LOG_LEVEL: "warn",
      CONTROL_PORT: String(ATTACK_CONTROL_PORT),
      SMTP_URL: smtp.url,
      TRUST_PROXY: "fly",
      CONTENT_SOURCE: "git",
      CONTENT_GIT_API: git.api,
      CONTENT_GIT_REPOSITORY: REPOSITORY,
      CONTENT_WEBHOOK_SECRET: WEBHOOK_SECRET,
      NEWSLETTER_WEBHOOK_SECRET: MAIL_EVENT_SECRET,
      FETCH_ALLOW_PRIVATE: git.address,
      // Link previews are fetched in the background, and nothing may leave this machine.
      EMBED_PROVIDER_ORIGIN: "http://127.0.0.1:9",
      NO_COLOR: "1",
      FORCE_COLOR: undefined,
    },
  }).catch(async (error: unknown) => {
    await stopDoubles();
    throw error;
  });
  await waitForBackgroundWrites();

  return {
    smtp,
    readOutput: site.readOutput,
    async describeFailure() {
      const failure = await fetch(`http://127.0.0.1:${ATTACK_PORT}/robots.txt`, {
        signal: AbortSignal.timeout(10_000),
      }).then(
        ({ ok, status }) => (ok ? null : `status ${status}`),
        (error: Error) => String(error.cause ?? error),
      );
      if (failure === null && site.isAlive()) return null;
      // The connection is refused a moment before the exit event.
      for (const untilMs = Date.now() + 3_000; site.isAlive() && Date.now() < untilMs;)
        await sleep(50);
      const { exitCode, signalCode } = site.child;
      return `The site under attack does not answer (${failure}; exit code ${exitCode}, signal ${signalCode}). Its last output:\n${site.readOutput().slice(-3_000)}`;
    },
    readMemory: () => fetchJson<Memory>(`${CONTROL_URL}/memory`),
    setClock: async (offsetMs) => void (await fetch(`${CONTROL_URL}/clock?offsetMs=${offsetMs}`)),
    async stop() {
      await site.stop();
      shareCache(ATTACK_DIR);
      await stopDoubles();
    },
  };
}
