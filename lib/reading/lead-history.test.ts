import { expect, test } from "vitest";
import { DAY_MS } from "#lib/core/clock.ts";
import { write } from "#lib/db/database.ts";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { listLeadChanges } from "./lead-history.ts";
import { recordLeadChanges } from "./lead-changes.ts";

const NOW = Date.parse("2026-11-25T10:00:00Z");

test("lead changes are listed newest first, each with the previous leader", () =>
  write(async (tx) => {
    const read = (team: string, slug: string, nowMs: number) => {
      insertRead(tx, { userId: insertUser(tx, { team }).id, postSlug: slug, createdAt: nowMs });
      recordLeadChanges(tx, { slugs: [slug], nowMs });
    };
    read("RED", "one", NOW);
    read("BLUE", "two", NOW + 1);
    read("RED", "three", NOW + 2); // Red has two members now: half a read each for "one"
    read("BLUE", "one", NOW + 3);
    recordLeadChanges(tx, { slugs: ["two"], nowMs: NOW + 250 * DAY_MS });
    const changes = (await listLeadChanges(tx, 20)).map(({ id: _, ...change }) => change);
    expect(changes).toEqual([
      { changedAtMs: NOW + 250 * DAY_MS, slug: null, from: "RED", to: null },
      { changedAtMs: NOW + 250 * DAY_MS, slug: "two", from: "BLUE", to: null },
      { changedAtMs: NOW + 2, slug: "three", from: null, to: "RED" },
      { changedAtMs: NOW + 1, slug: "two", from: null, to: "BLUE" },
      { changedAtMs: NOW, slug: null, from: null, to: "RED" },
      { changedAtMs: NOW, slug: "one", from: null, to: "RED" },
    ]);
    expect((await listLeadChanges(tx, 2)).map(({ slug }) => slug)).toEqual([null, "two"]);
  }));

test("without lead changes, the list is empty", () =>
  write(async (tx) => expect(await listLeadChanges(tx, 20)).toEqual([])));
