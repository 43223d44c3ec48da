import { expect, test } from "vitest";
import { read, write } from "#lib/db/database.ts";
import type { Member } from "./member.ts";
import { listSubscribers } from "./subscriber-list.ts";
import { subscribe } from "./subscribers.ts";

const admin: Member = {
  id: "a",
  firstName: "Ada",
  team: "RED",
  role: "ADMIN",
  sessionKey: "k",
  loggedInAtMs: 0,
};

test("a search finds its text anywhere in an address, literally and in any case", async () => {
  const emails = ["a_b@example.test", "a.b@example.test", "100%@example.test"];
  for (const email of emails) await write((tx) => subscribe(tx, { email }));
  const search = async (text: string) =>
    (await read((tx) => listSubscribers(tx, admin, text))).subscribers
      .map(({ email }) => email)
      .sort();
  expect(await search("A_B")).toEqual(["a_b@example.test"]);
  expect(await search("%")).toEqual(["100%@example.test"]);
  expect(await search("EXAMPLE")).toEqual(emails.toSorted());
  expect(await search(" ")).toEqual(emails.toSorted());
});
