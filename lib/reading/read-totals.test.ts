import { expect, test } from "vitest";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { writeSql } from "#lib/db/database.ts";
import { listMostReadSlugs, getPostTotals, listReadSlugs, getSiteTotals } from "./read-totals.ts";

test("a new site has no reads", () =>
  writeSql((sql) => {
    expect(getSiteTotals(sql)).toEqual({ reads: 0, readers: 0 });
    expect(getPostTotals(sql)).toEqual(new Map());
    expect(listMostReadSlugs(sql, 4)).toEqual([]);
  }));

test("counts reads per post, and readers once", () =>
  writeSql((sql) => {
    const { id } = insertUser(sql);
    for (const postSlug of ["a", "b", "b"]) insertRead(sql, { userId: id, postSlug });
    for (const postSlug of ["b", "c"]) insertRead(sql, { clientId: "one", postSlug });
    insertRead(sql, { clientId: "two", postSlug: "c" });
    expect(getSiteTotals(sql)).toEqual({ reads: 6, readers: 3 });
    expect(getPostTotals(sql)).toEqual(
      new Map([
        ["a", 1],
        ["b", 3],
        ["c", 2],
      ]),
    );
    expect(listMostReadSlugs(sql, 2)).toEqual(["b", "c"]);
  }));

test("posts with equal reads are ordered by slug", () =>
  writeSql((sql) => {
    for (const postSlug of ["c", "a", "b"]) insertRead(sql, { postSlug });
    expect(listMostReadSlugs(sql, 3)).toEqual(["a", "b", "c"]);
  }));

test("a member's posts are listed by member, an anonymous reader's by ID", () =>
  writeSql((sql) => {
    const member = insertUser(sql);
    insertRead(sql, { userId: member.id, clientId: "mine", postSlug: "a" });
    insertRead(sql, { clientId: "mine", postSlug: "b" });
    insertRead(sql, { postSlug: "c" });
    expect(listReadSlugs(sql, { member, clientId: "mine" })).toEqual(new Set(["a"]));
    expect(listReadSlugs(sql, { member: null, clientId: "mine" })).toEqual(new Set(["b"]));
    expect(listReadSlugs(sql, { member: null, clientId: null })).toEqual(new Set());
  }));
