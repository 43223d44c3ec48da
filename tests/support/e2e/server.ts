// Starts the site under test: the production build on a new database, with a control server for its
// clock and memory. Also starts an SMTP server and a fake of the embed providers, which serves the
// captured emails too.

import { spawn } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { applyMigrations } from "#lib/db/migrations.ts";
import { siteArguments } from "#tests/support/built-site.ts";
import { seedCache, shareCache } from "#tests/support/shared-cache.ts";
import { startSmtpServer } from "#tests/support/smtp-server.ts";
import {
  CONTROL_PORT,
  DATA_DIR,
  LEGACY_SITE_ENV,
  PORT,
  EMBED_PROVIDER_PORT,
  SECRET,
  SMTP_PORT,
} from "./site-under-test.ts";

// Reuses the posts that the last run's site compiled.
shareCache(DATA_DIR);
rmSync(DATA_DIR, { recursive: true, force: true });
await applyMigrations(join(DATA_DIR, "lectern.db"), "prisma/migrations");
seedCache(DATA_DIR);
cpSync("content", join(DATA_DIR, "content"), { recursive: true });
cpSync("tests/fixtures/posts", join(DATA_DIR, "content", "blog"), { recursive: true });

const smtp = await startSmtpServer({ port: SMTP_PORT });

// Sends half of the declared body and then hangs, until /mode changes it.
let providerMode = "hang";
createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://provider");
  if (pathname === "/mode") {
    providerMode = searchParams.get("is") ?? providerMode;
    response.end(providerMode);
    return;
  }
  if (pathname === "/emails") {
    const to = searchParams.get("to")?.toLowerCase();
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(smtp.emails.filter((email) => !to || email.to.includes(to))));
    return;
  }
  const body = JSON.stringify({
    type: "video",
    title: "A film about lecterns",
    author_name: "The maker",
    provider_name: "Films",
  });
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": String(body.length),
  });
  if (providerMode === "hang") response.write(body.slice(0, 20));
  else response.end(body);
}).listen(EMBED_PROVIDER_PORT, "127.0.0.1");

const child = spawn(
  process.execPath,
  siteArguments(PORT, ["./tests/support/e2e/control-server.ts"]),
  {
    stdio: "inherit",
    env: {
      ...process.env,
      NODE_ENV: "production",
      DATA_DIR,
      CONTENT_DIR: join(DATA_DIR, "content"),
      SITE_URL: `http://localhost:${PORT}`,
      SESSION_SECRET: SECRET,
      ...LEGACY_SITE_ENV,
      LOG_LEVEL: process.env.LOG_LEVEL ?? "warn",
      CONTROL_PORT: String(CONTROL_PORT),
      SITE_CONFIG: "tests/fixtures/site.config.ts",
      SMTP_URL: smtp.url,
      EMBED_PROVIDER_ORIGIN: `http://127.0.0.1:${EMBED_PROVIDER_PORT}`,
      FETCH_ALLOW_PRIVATE: `127.0.0.1:${EMBED_PROVIDER_PORT}`,
    },
  },
);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
child.on("exit", (code) => process.exit(code ?? 0));
