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
      const { id } = insertUser(tx, { team, createdAt: NOW });
      insertRead(tx, { userId: id, postSlug: slug, createdAt: nowMs });
      recordLeadChanges(tx, { slugs: [slug], nowMs });
    };
    read("RED", "one", NOW);
    read("BLUE", "two", NOW + 1);
    read("BLUE", "one", NOW + 2);
    recordLeadChanges(tx, { slugs: ["two"], nowMs: NOW + 250 * DAY_MS });
    const changes = (await listLeadChanges(tx, 20)).map(({ id: _, ...change }) => change);
    const later = NOW + 250 * DAY_MS;
    expect(changes).toEqual([
      { changedAtMs: later, slug: "one", from: ["RED", "BLUE"], to: [] },
      { changedAtMs: later, slug: null, from: ["BLUE"], to: [] },
      { changedAtMs: later, slug: "two", from: ["BLUE"], to: [] },
      { changedAtMs: NOW + 2, slug: null, from: ["RED", "BLUE"], to: ["BLUE"] },
      { changedAtMs: NOW + 2, slug: "one", from: ["RED"], to: ["RED", "BLUE"] },
      { changedAtMs: NOW + 1, slug: null, from: ["RED"], to: ["RED", "BLUE"] },
      { changedAtMs: NOW + 1, slug: "two", from: [], to: ["BLUE"] },
      { changedAtMs: NOW, slug: null, from: [], to: ["RED"] },
      { changedAtMs: NOW, slug: "one", from: [], to: ["RED"] },
    ]);
    expect((await listLeadChanges(tx, 2)).map(({ slug }) => slug)).toEqual(["one", null]);
  }));

test("without lead changes, the list is empty", () =>
  write(async (tx) => expect(await listLeadChanges(tx, 20)).toEqual([])));
