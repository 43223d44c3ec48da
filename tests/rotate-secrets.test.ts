import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { insertUser } from "./support/factories.ts";
import { overrideEnv } from "./support/override-env.ts";
import { signWebhook } from "./support/git-host.ts";
import { env, envSchema } from "#lib/core/env.ts";
import { refuseMetrics } from "#lib/http/metrics-access.ts";
import { write } from "#lib/db/database.ts";
import { forgetUnsealedCookies, sealSessionCookie, unsealSession } from "#lib/members/cookies.ts";
import { renewSession } from "#lib/members/renew-session.ts";
import { createSession } from "#lib/members/sessions.ts";
import { SealedObjectError, createSealer } from "#server/backup/sealed-object.ts";
import { verifyWebhook } from "#lib/posts/source/push-webhook.ts";

const NAMES = [
  "SESSION_SECRET",
  "ACCEPTED_SESSION_SECRETS",
  "METRICS_TOKEN",
  "CONTENT_WEBHOOK_SECRET",
  "BACKUP_KEY",
] as const;
const before = env.SESSION_SECRET;
afterEach(() => {
  overrideEnv({
    ...Object.fromEntries(NAMES.map((name) => [name, undefined])),
    SESSION_SECRET: before,
  });
  forgetUnsealedCookies();
});

/** Returns the commands of a section of the runbook, in order. */
function listCommands(section: string): string[] {
  const page = readFileSync("docs/runbooks/rotate-secrets.md", "utf8");
  const text = page.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? "";
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block]) =>
    block!.trim().split("\n"),
  );
}

/** `fly` for one machine: its secrets are files, and a new secret restarts the site. */
const FLY = `#!/bin/sh
set -e
cd "$SECRETS"
case "$1 $2" in
  "ssh console") shift 5; case "$1" in "printenv "*) cat "\${1#printenv }";; *) exit 64;; esac;;
  "secrets set") shift 2; for each; do printf %s "\${each#*=}" > "\${each%%=*}"; done;;
  "secrets unset") rm "$3";;
  *) exit 64;;
esac
`;

/** Returns a function that runs a command of the page in one shell session, and restarts the site. */
function openShell(secrets: Partial<Record<(typeof NAMES)[number], string>>) {
  const folder = mkdtempSync(join(tmpdir(), "lectern-secrets-"));
  const bin = mkdtempSync(join(tmpdir(), "lectern-bin-"));
  writeFileSync(join(bin, "fly"), FLY);
  chmodSync(join(bin, "fly"), 0o755);
  writeFileSync(join(bin, "session"), "");
  const restartSite = () => {
    overrideEnv(
      Object.fromEntries(
        NAMES.map((name) => {
          const file = join(folder, name);
          return [name, existsSync(file) ? readFileSync(file, "utf8") : undefined];
        }),
      ),
    );
    forgetUnsealedCookies();
  };
  for (const [name, value] of Object.entries(secrets)) writeFileSync(join(folder, name), value);
  restartSite();
  return (command: string) => {
    const script = `source ${bin}/session; ${command}\ndeclare -p OLD NEW > ${bin}/session 2> /dev/null || true`;
    const { status, stderr } = spawnSync("bash", ["-ec", script], {
      encoding: "utf8",
      env: { ...process.env, SECRETS: folder, PATH: `${bin}${delimiter}${process.env.PATH}` },
    });
    expect([status, stderr]).toEqual([0, ""]);
    restartSite();
  };
}

const OLD = "old-secret-of-this-site-0123456789abcdef";

test("SESSION_SECRET is rotated with the page's commands, and a member stays logged in", async () => {
  const run = openShell({ SESSION_SECRET: OLD });
  const session = await write((tx) => createSession(tx, insertUser(tx).id));
  let { value } = await sealSessionCookie(session);
  for (const command of listCommands("SESSION_SECRET")) {
    run(command);
    expect(await unsealSession(value), command).toMatchObject({ id: session.id });
    // The member opens a page.
    value = (await renewSession(value))?.value ?? value;
  }
  expect(env.SESSION_SECRET).toMatch(/^[0-9a-f]{64}$/);
  expect(env.ACCEPTED_SESSION_SECRETS).toEqual([]);
});

test("METRICS_TOKEN is rotated with the page's commands, and no scrape is refused", () => {
  const run = openShell({ METRICS_TOKEN: OLD });
  const scrape = (token: string) =>
    refuseMetrics(new Headers({ authorization: `Bearer ${token}` }));
  const [read, create, setBoth, setNew, ...rest] = listCommands("METRICS_TOKEN");
  expect(rest).toEqual([]);
  for (const command of [read!, create!, setBoth!]) {
    run(command);
    expect(scrape(OLD), command).toBeNull();
  }
  const [token] = env.METRICS_TOKEN!;
  expect(scrape(token!)).toBeNull();
  run(setNew!);
  expect(scrape(token!)).toBeNull();
  expect(scrape(OLD)).toBe(401);
});

test("CONTENT_WEBHOOK_SECRET is rotated with the page's commands, and no push is refused", () => {
  const run = openShell({ CONTENT_WEBHOOK_SECRET: OLD });
  const body = Buffer.from("{}");
  const ping = (secret: string) =>
    verifyWebhook(
      new Headers({
        "x-github-event": "ping",
        "x-hub-signature-256": signWebhook(secret, body),
      }),
      body,
      { secrets: env.CONTENT_WEBHOOK_SECRET!, repository: "ada/site", branch: "main" },
    ).kind;
  const [read, create, setBoth, setNew, ...rest] = listCommands("CONTENT_WEBHOOK_SECRET");
  expect(rest).toEqual([]);
  for (const command of [read!, create!, setBoth!]) {
    run(command);
    expect(ping(OLD), command).toBe("ping");
  }
  const [secret] = env.CONTENT_WEBHOOK_SECRET!;
  expect(ping(secret!)).toBe("ping");
  run(setNew!);
  expect(ping(secret!)).toBe("ping");
  expect(() => ping(OLD)).toThrow();
});

test("BACKUP_KEY is rotated with the page's commands, and old and new backups can be read", () => {
  const run = openShell({ BACKUP_KEY: OLD });
  const seal = () => createSealer(env.BACKUP_KEY!).seal("object", Buffer.from("content"));
  const open = (object: Buffer) =>
    createSealer(env.BACKUP_KEY!).open("object", object).toString("utf8");
  const oldObject = seal();
  const [read, create, setBoth, setNew, ...rest] = listCommands("BACKUP_KEY");
  expect(rest).toEqual([]);
  for (const command of [read!, create!, setBoth!]) {
    run(command);
    expect([command, open(oldObject)]).toEqual([command, "content"]);
  }
  const newObject = seal();
  run(setNew!);
  expect(open(newObject)).toBe("content");
  expect(() => open(oldObject)).toThrow(SealedObjectError);
});

test("the page names every secret of the configuration", () => {
  const page = readFileSync("docs/runbooks/rotate-secrets.md", "utf8");
  const secrets = Object.keys(envSchema.shape).filter((name) =>
    /SECRET|TOKEN|_KEY(_ID)?$|SMTP_URL|WEBHOOK_URL|OTLP_HEADERS/.test(name),
  );
  expect(secrets.length).toBeGreaterThan(7);
  expect(secrets.filter((name) => !page.includes(name))).toEqual([]);
});
