import { expect, onTestFinished, test } from "vitest";
import { DAY_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { read, write } from "#lib/db/database.ts";
import type { Member } from "#lib/members/member.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import {
  createPreviewLink,
  findPreview,
  listPreviewLinks,
  previewPath,
  withdrawPreviewLink,
} from "./preview-links.ts";

const admin: Member = {
  id: "an-admin",
  firstName: "Ada",
  team: "RED",
  role: "ADMIN",
  sessionKey: "a-session",
  loggedInAtMs: 0,
};
const member: Member = { ...admin, role: "MEMBER" };

const create = (slug = "a-draft", days: 1 | 7 | 30 = 7) =>
  write((tx) => createPreviewLink(tx, admin, { slug, days }));
const tokenOf = (id: string) => previewPath(id).slice("/preview/".length);
const open = (token: string) => read((tx) => findPreview(tx, token));

test("a link opens one post until it expires or is withdrawn, and others keep working", async () => {
  const [first, second] = [await create(), await create()];
  expect((await open(tokenOf(first)))?.slug).toBe("a-draft");
  await write((tx) => withdrawPreviewLink(tx, admin, first));
  expect(await open(tokenOf(first))).toBeNull();
  expect((await open(tokenOf(second)))?.slug).toBe("a-draft");
  await expect(write((tx) => withdrawPreviewLink(tx, admin, first))).rejects.toMatchObject({
    code: "not_found",
  });
  setClock(nowMs() + 7 * DAY_MS);
  expect(await open(tokenOf(second))).toBeNull();
  expect(await read((tx) => listPreviewLinks(tx, admin, "a-draft"))).toEqual([]);
});

test("no token opens a post unless this site signed it", async () => {
  const id = await create();
  const token = tokenOf(id);
  const [, signature] = token.split(".") as [string, string];
  const otherId = await create("another");
  const flip = (text: string) => (text.startsWith("A") ? "B" : "A") + text.slice(1);
  for (const forged of [
    id,
    `${id}.`,
    `${id}.${flip(signature)}`,
    `${otherId}.${signature}`,
    `${flip(id)}.${signature}`,
    `${token}x`,
    ` ${token}`,
    `${token}\n`,
    "",
    ".",
    "%",
    `' OR 1=1 --.${signature}`,
    "x".repeat(5_000),
  ])
    expect(await open(forged), forged).toBeNull();
  expect(await open(token)).not.toBeNull();
  const { SESSION_SECRET } = env;
  overrideEnv({ SESSION_SECRET: "another-secret-of-at-least-32-characters" });
  onTestFinished(() => overrideEnv({ SESSION_SECRET }));
  expect(await open(token)).toBeNull();
});

test("only admins create, list and withdraw links, and a post has at most twenty", async () => {
  const id = await create();
  for (const attempt of [
    () => write((tx) => createPreviewLink(tx, member, { slug: "a-draft", days: 1 })),
    () => write((tx) => withdrawPreviewLink(tx, member, id)),
    () => read((tx) => listPreviewLinks(tx, member, "a-draft")),
  ])
    await expect(attempt()).rejects.toMatchObject({ code: "forbidden" });
  expect(await open(tokenOf(id))).not.toBeNull();
  for (let count = 1; count < 20; count++) await create();
  await expect(create()).rejects.toMatchObject({ code: "conflict" });
  await create("another");
});
