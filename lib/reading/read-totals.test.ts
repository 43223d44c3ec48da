import { expect, test } from "vitest";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { write } from "#lib/db/database.ts";
import { listReadSlugs } from "./read-slugs.sql.ts";
import { getPostTotals, getSiteTotals } from "./read-totals.ts";

test("a new site has no reads", () =>
  write(async (tx) => {
    expect(await getSiteTotals(tx)).toEqual({ reads: 0, readers: 0 });
    expect(await getPostTotals(tx)).toEqual(new Map());
  }));

test("counts reads per post, and readers once", () =>
  write(async (tx) => {
    const { id } = insertUser(tx);
    for (const postSlug of ["a", "b", "b"]) insertRead(tx, { userId: id, postSlug });
    for (const postSlug of ["b", "c"]) insertRead(tx, { clientId: "one", postSlug });
    insertRead(tx, { clientId: "two", postSlug: "c" });
    expect(await getSiteTotals(tx)).toEqual({ reads: 6, readers: 3 });
    expect(await getPostTotals(tx)).toEqual(
      new Map([
        ["a", 1],
        ["b", 3],
        ["c", 2],
      ]),
    );
  }));

test("a member's posts are listed by member, an anonymous reader's by ID", () =>
  write(async (tx) => {
    const member = insertUser(tx);
    insertRead(tx, { userId: member.id, clientId: "mine", postSlug: "a" });
    insertRead(tx, { clientId: "mine", postSlug: "b" });
    insertRead(tx, { postSlug: "c" });
    expect(listReadSlugs(tx, { member, clientId: "mine" })).toEqual(new Set(["a"]));
    expect(listReadSlugs(tx, { member: null, clientId: "mine" })).toEqual(new Set(["b"]));
    expect(listReadSlugs(tx, { member: null, clientId: null })).toEqual(new Set());
  }));
