import { expect, test } from "vitest";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { write } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { listMostReadSlugs, getPostTotals, listReadSlugs, getSiteTotals } from "./read-totals.ts";

test("a new site has no reads", () =>
  write((tx) => {
    expect(getSiteTotals(tx)).toEqual({ reads: 0, readers: 0 });
    expect(getPostTotals(tx)).toEqual(new Map());
    expect(listMostReadSlugs(tx, 4)).toEqual([]);
  }));

test("counts reads per post, and readers once", () =>
  write((tx) => {
    const { id } = insertUser(tx);
    for (const postSlug of ["a", "b", "b"]) insertRead(tx, { userId: id, postSlug });
    for (const postSlug of ["b", "c"]) insertRead(tx, { clientId: "one", postSlug });
    insertRead(tx, { clientId: "two", postSlug: "c" });
    expect(getSiteTotals(tx)).toEqual({ reads: 6, readers: 3 });
    expect(getPostTotals(tx)).toEqual(
      new Map([
        ["a", 1],
        ["b", 3],
        ["c", 2],
      ]),
    );
    expect(listMostReadSlugs(tx, 2)).toEqual(["b", "c"]);
  }));

test("posts with equal reads are in the order of their slugs", () =>
  write((tx) => {
    for (const postSlug of ["c", "a", "b"]) insertRead(tx, { postSlug });
    expect(listMostReadSlugs(tx, 3)).toEqual(["a", "b", "c"]);
  }));

test("a member's posts are listed by member, an anonymous reader's by id", () =>
  write((tx) => {
    const member = insertUser(tx);
    insertRead(tx, { userId: member.id, clientId: "mine", postSlug: "a" });
    insertRead(tx, { clientId: "mine", postSlug: "b" });
    insertRead(tx, { postSlug: "c" });
    expect(listReadSlugs(tx, { member, clientId: "mine" })).toEqual(new Set(["a"]));
    expect(listReadSlugs(tx, { member: null, clientId: "mine" })).toEqual(new Set(["b"]));
    expect(listReadSlugs(tx, { member: null, clientId: null })).toEqual(new Set());
  }));
