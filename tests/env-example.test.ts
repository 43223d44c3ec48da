import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseEnv, envSchema } from "#lib/core/env.ts";

const example = readFileSync(".env.example", "utf8");

test(".env.example lists exactly the variables of the schema", () => {
  const listed = [...example.matchAll(/^([A-Z0-9_]+)=/gm)].map(([, name]) => name).sort();
  expect(listed).toEqual(Object.keys(envSchema.shape).sort());
});

test("every variable in .env.example has a label above it", () => {
  const lines = example.split("\n");
  for (const [i, line] of lines.entries()) {
    if (/^[A-Z0-9_]+=/.test(line)) expect(lines[i - 1], line).toMatch(/^# \S/);
  }
});

test(".env.example is a valid configuration", () => {
  const dir = mkdtempSync(join(tmpdir(), "lectern-env-"));
  const variables = Object.fromEntries(
    [...example.matchAll(/^([A-Z0-9_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
  );
  const env = parseEnv({ ...variables, DATA_DIR: dir });
  expect(env).toMatchObject({
    SITE_URL: "http://localhost:3000",
    CONTENT_SOURCE: "disk",
    REPLICATION: false,
    SITE_CONFIG: "site.config.ts",
  });
  expect(env.SESSION_SECRET).toMatch(/^[0-9a-f]{64}$/);
  expect(statSync(join(dir, "session-secret")).mode & 0o777).toBe(0o600);
  expect(parseEnv({ DATA_DIR: dir }).SESSION_SECRET).toBe(env.SESSION_SECRET);
  rmSync(dir, { recursive: true });
});

test("one message lists everything that is invalid", () => {
  const wrong = () =>
    parseEnv({
      SITE_URL: "lectern",
      SESSION_SECRET: "short",
      CACHE_MAX_MB: "many",
      REPLICATION: "maybe",
    });
  expect(wrong).toThrow(
    /SITE_URL: [\s\S]*CACHE_MAX_MB: [\s\S]*SESSION_SECRET: needs at least 32 characters[\s\S]*REPLICATION: /,
  );
});

test("a variable that has moved to site.config.ts is refused with its new place", () => {
  for (const [variable, field] of [
    ["SITE_NAME", "name"],
    ["SITE_AUTHOR", "author.name"],
    ["REPOSITORY_URL", "editUrl"],
    ["IMAGE_HOSTS", "images.hosts"],
  ] as const)
    expect(() => parseEnv({ [variable]: "https://example.com" })).toThrow(
      `${variable}: has moved to site.config.ts, as ${field}`,
    );
});

test("variables required by another variable are listed", () => {
  expect(() => parseEnv({ CONTENT_SOURCE: "git", REPLICATION: "on" })).toThrow(
    /CONTENT_GIT_REPOSITORY: required[\s\S]*SESSION_SECRET: required/,
  );
});
