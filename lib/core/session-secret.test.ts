import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { env, parseEnv } from "./env.ts";
import { loadOrCreateSessionSecret } from "./session-secret.ts";

const secretFile = () => join(env.DATA_DIR, "secrets", "session-secret");

test("the first start creates a secret that only its owner can read, and nothing else", () => {
  const secret = loadOrCreateSessionSecret(secretFile());
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  expect(loadOrCreateSessionSecret(secretFile())).toBe(secret);
  expect(statSync(secretFile()).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(env.DATA_DIR, "secrets"))).toEqual(["session-secret"]);
});

test("processes that start at the same time use the same secret", async () => {
  const program = `import { loadOrCreateSessionSecret } from ${JSON.stringify(join(import.meta.dirname, "session-secret.ts"))}; console.log(loadOrCreateSessionSecret(${JSON.stringify(secretFile())}))`;
  const secrets = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const { stdout } = await promisify(execFile)(process.execPath, [
        "--input-type=module-typescript",
        "--disable-warning=ExperimentalWarning",
        "-e",
        program,
      ]);
      return stdout.trim();
    }),
  );
  expect(new Set(secrets)).toEqual(new Set([readFileSync(secretFile(), "utf8")]));
});

test("an empty, blank or short secret is refused with a sentence", () => {
  mkdirSync(join(env.DATA_DIR, "secrets"), { recursive: true });
  for (const text of ["", "\n", " ".repeat(64), "a".repeat(31)]) {
    writeFileSync(secretFile(), text);
    expect(() => loadOrCreateSessionSecret(secretFile())).toThrow(/has fewer than 32 characters/);
    expect(readFileSync(secretFile(), "utf8")).toBe(text);
    if (text !== "")
      expect(() => parseEnv({ SESSION_SECRET: text })).toThrow(
        /SESSION_SECRET: needs at least 32 characters/,
      );
  }
  mkdirSync(join(env.DATA_DIR, "broken"));
  writeFileSync(join(env.DATA_DIR, "broken", "session-secret"), "");
  expect(() => parseEnv({ DATA_DIR: join(env.DATA_DIR, "broken") })).toThrow(
    /SESSION_SECRET: .*session-secret has fewer than 32 characters. Restore it, or delete it/,
  );
});

test("other secrets of blanks are refused, too", () => {
  const variables = { METRICS_TOKEN: " ".repeat(40), CONTENT_WEBHOOK_SECRET: "\t".repeat(40) };
  expect(() => parseEnv({ SESSION_SECRET: "a".repeat(32), ...variables })).toThrow(
    /METRICS_TOKEN: needs at least 16 characters[\s\S]*CONTENT_WEBHOOK_SECRET: needs at least 16/,
  );
});

test.skipIf(process.platform !== "linux")("a data folder that can't exist is a sentence", () => {
  expect(() => parseEnv({ DATA_DIR: "/proc/nope" })).toThrow(
    /DATA_DIR: the session secret can't be stored in \/proc\/nope \(ENOENT\)/,
  );
});
