import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { toEnvironment, readSettings } from "./settings.ts";

const replicated = {
  REPLICATION: "on",
  FLY_CONSUL_URL: "http://:secret@consul:8500/prefix",
  LITEFS_ADVERTISE_URL: "http://10.0.0.1:20202",
};

test("the image's variables are sufficient on Fly", () => {
  const settings = readSettings(
    {
      REPLICATION: "on",
      FLY_CONSUL_URL: "https://:token@consul/lectern-abc",
      FLY_MACHINE_ID: "148e",
      FLY_APP_NAME: "lectern",
      FLY_REGION: "dfw",
      PRIMARY_REGION: "dfw",
      DATA_DIR: "/data",
      FLY_LITEFS_DIR: "/litefs",
      LITEFS_DATA_DIR: "/data/litefs",
    },
    "/app",
  );
  expect(settings).toMatchObject({
    instance: "148e",
    databaseFile: "/litefs/lectern.db",
    storeDir: "/data/litefs",
    litefs: { addr: ":20202", advertiseUrl: "http://148e.vm.lectern.internal:20202" },
    lease: { ttl: "10s", ttlMs: 10_000 },
  });
});

test("every variable of litefs.yml has a value", () => {
  const given = toEnvironment(readSettings(replicated, "/app"));
  const named = [...readFileSync("litefs.yml", "utf8").matchAll(/\$\{(\w+)/g)].map(
    ([, name]) => name!,
  );
  expect(named.length).toBeGreaterThan(8);
  // Set on each start.
  const decided = ["LITEFS_CANDIDATE"];
  for (const name of named.filter((each) => !decided.includes(each)))
    expect(given[name], name).toBeTruthy();
});

test("one error lists all missing variables", () => {
  expect(() =>
    readSettings(
      { REPLICATION: "on", LITEFS_LEASE_TTL: "5s", DATABASE_FILE: "/data/lectern.db" },
      "/app",
    ),
  ).toThrow(
    /LITEFS_LEASE_TTL[^]*LITEFS_ADVERTISE_URL[^]*FLY_CONSUL_URL|DATABASE_FILE[^]*LITEFS_LEASE_TTL/,
  );
});

test("without replication the database is a plain file, even if the image names the mount", () => {
  expect(
    readSettings(
      { DATA_DIR: "/data", FLY_LITEFS_DIR: "/litefs", DATABASE_FILE: "/litefs/lectern.db" },
      "/app",
    ).databaseFile,
  ).toBe("/data/lectern.db");
  expect(readSettings({ DATA_DIR: "/data" }, "/app").databaseFile).toBe("/data/lectern.db");
});
