// The site under attack: the production build as it runs behind Fly's proxy and on https, with its posts on a Git host, so that
// every handler is there and each request can come from an address of its own. What it prints is kept and looked at.

import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { applyMigrations } from "#lib/db/migrations.ts";
import { readFilesBelow, startGitHost } from "#tests/support/git-host.ts";
import { type TestSmtpServer, startSmtpServer } from "#tests/support/smtp-server.ts";
import { SERVER_FLAGS } from "#server/server-flags.mjs";
import { ATTACK_CONTROL_PORT, ATTACK_PORT, SECRET } from "#tests/support/e2e/site-under-test.ts";

export const ATTACK_DIR = ".data/attack";
/** What the site is called from outside; requests go to 127.0.0.1 and say this host. */
export const HOST = "lectern.test";
export const ORIGIN = `https://${HOST}`;
export const WEBHOOK_SECRET = "only-for-the-attack-webhook";
export const REPOSITORY = "ada/site";

export interface AttackServer {
  readonly smtp: TestSmtpServer;
  /** Everything the process printed since it started. */
  readOutput(): string;
  /** Null while it answers; else how it ended and what it said last. */
  describeFailure(): Promise<string | null>;
  /** Bytes the process holds, after it collected its garbage. */
  readMemory(): Promise<{ heap: number; rss: number }>;
  /** Moves the server's clock; 0 puts it back. */
  setClock(offsetMs: number): Promise<void>;
  stop(): Promise<void>;
}

const requestControl = (path: string) =>
  fetch(`http://127.0.0.1:${ATTACK_CONTROL_PORT}${path}`, { signal: AbortSignal.timeout(20_000) });

/** Starts it on a new database; resolves when it answers. Rejects after 60 seconds, or when the process ends before. */
export async function startAttackServer(): Promise<AttackServer> {
  rmSync(ATTACK_DIR, { recursive: true, force: true });
  await applyMigrations(join(ATTACK_DIR, "lectern.db"), "prisma/migrations");
  const smtp = await startSmtpServer();
  const git = await startGitHost({ repository: REPOSITORY });
  git.commit({
    ...readFilesBelow("content", "content"),
    ...readFilesBelow("tests/fixtures/posts", "content/blog"),
  });

  const child: ChildProcess = spawn(
    process.execPath,
    [
      ...SERVER_FLAGS,
      "--import",
      "./tests/support/e2e/control-server.ts",
      "server/site.ts",
      "--port",
      String(ATTACK_PORT),
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
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
        FETCH_ALLOW_PRIVATE: git.address,
        // Cards of links are asked for in the background, and nothing leaves this machine.
        EMBED_PROVIDER_ORIGIN: "http://127.0.0.1:9",
        NO_COLOR: "1",
        FORCE_COLOR: undefined,
      },
    },
  );
  let printed = "";
  child.stdout?.on("data", (data: Buffer) => (printed += data.toString()));
  child.stderr?.on("data", (data: Buffer) => (printed += data.toString()));
  const isAlive = () => child.exitCode === null && child.signalCode === null;

  const stop = async () => {
    if (isAlive()) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      const hard = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await ended;
      clearTimeout(hard);
    }
    await Promise.all([smtp.close(), git.close()]);
  };

  const deadlineMs = Date.now() + 60_000;
  for (;;) {
    const isUp = await fetch(`http://127.0.0.1:${ATTACK_PORT}/blog`, {
      signal: AbortSignal.timeout(10_000),
    }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) break;
    if (!isAlive() || Date.now() > deadlineMs) {
      await stop();
      throw new Error(`The site under attack did not start:\n${printed.slice(-3_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }

  return {
    smtp,
    readOutput: () => printed,
    async describeFailure() {
      const answer = await fetch(`http://127.0.0.1:${ATTACK_PORT}/robots.txt`, {
        signal: AbortSignal.timeout(10_000),
      }).then(
        ({ ok, status }) => (ok ? null : `status ${status}`),
        (error: Error) => String(error.cause ?? error),
      );
      if (answer === null && isAlive()) return null;
      // The connection is refused a moment before the end of the process is heard of.
      const deadlineMs = Date.now() + 3_000;
      while (isAlive() && Date.now() < deadlineMs)
        await new Promise((resolve) => setTimeout(resolve, 50));
      return `The site under attack does not answer (${answer}; exit code ${child.exitCode}, signal ${child.signalCode}). It said last:\n${printed.slice(-3_000)}`;
    },
    readMemory: async () =>
      (await (await requestControl("/memory")).json()) as { heap: number; rss: number },
    setClock: async (offsetMs) => void (await requestControl(`/clock?offsetMs=${offsetMs}`)),
    stop,
  };
}
