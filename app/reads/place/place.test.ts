import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { selectRows } from "#tests/support/database.ts";
import { logInMember } from "#tests/support/log-in-member.ts";
import { currentRequest } from "#tests/support/next-headers.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { POST } from "./route.ts";

vi.mock("next/headers", () => import("#tests/support/next-headers.ts"));

const dir = mkdtempSync(join(tmpdir(), "lectern-place-"));
mkdirSync(join(dir, "blog"), { recursive: true });
writeFileSync(
  join(dir, "blog", "a-post.mdx"),
  "---\ntitle: A post\ndate: 2026-11-01\n---\n\n## First\n\nText\n\n## Second\n\nText\n",
);
beforeEach(() => overrideEnv({ CONTENT_DIR: dir }));
afterAll(() => {
  overrideEnv({ CONTENT_DIR: undefined });
  rmSync(dir, { recursive: true, force: true });
});

async function send(body: unknown, cookie = "", headers: Record<string, string> = {}) {
  currentRequest.cookie = cookie;
  const response = await POST(
    new Request("http://localhost:3000/reads/place", {
      method: "POST",
      body: JSON.stringify(body),
      headers: {
        host: "localhost:3000",
        origin: "http://localhost:3000",
        "sec-fetch-site": "same-origin",
        "content-type": "text/plain;charset=UTF-8",
        ...headers,
      },
    }),
  );
  return response.status;
}
const places = () => selectRows(`SELECT "userId", "postSlug", "heading" FROM "ReadingPlace"`);

test("a member's place is stored, replaced after a while, and forgotten at the end", async () => {
  const { id, cookie } = await logInMember();
  const place = { slug: "a-post", heading: "first" };
  expect(await send(place, cookie)).toBe(204);
  expect(await send({ ...place, heading: "second" }, cookie)).toBe(429);
  expect(await places()).toEqual([{ userId: id, postSlug: "a-post", heading: "first" }]);
  setClock(nowMs() + MINUTE_MS);
  // A field that a newer page adds is ignored.
  const newer = { ...place, heading: "second", userId: "another" };
  expect(await send(newer, cookie)).toBe(204);
  expect(await places()).toEqual([{ userId: id, postSlug: "a-post", heading: "second" }]);
  setClock(nowMs() + MINUTE_MS);
  expect(await send({ ...place, heading: null }, cookie)).toBe(204);
  expect(await places()).toEqual([]);
});

test("nothing is stored for a guest, another site, an unknown post or heading, or a malformed body", async () => {
  const { cookie } = await logInMember();
  const place = { slug: "a-post", heading: "first" };
  expect(await send(place)).toBe(401);
  expect(
    await send(place, cookie, { origin: "https://evil.example", "sec-fetch-site": "cross-site" }),
  ).toBe(403);
  expect(await send({ ...place, slug: "unknown" }, cookie)).toBe(404);
  for (const invalid of [
    { ...place, heading: "unknown" },
    { ...place, heading: "__proto__" },
    { ...place, heading: "x".repeat(501) },
    { slug: "a-post" },
    null,
  ])
    expect(await send(invalid, cookie), JSON.stringify(invalid)).toBe(400);
  expect(await send({ ...place, slug: "x".repeat(3_000) }, cookie)).toBe(413);
  expect(await places()).toEqual([]);
});
