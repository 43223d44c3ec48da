import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { selectRows } from "#tests/support/database.ts";
import { logInMember } from "#tests/support/log-in-member.ts";
import { currentRequest } from "#tests/support/next-headers.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { POST } from "./route.ts";

vi.mock("next/headers", () => import("#tests/support/next-headers.ts"));

const dir = mkdtempSync(join(tmpdir(), "lectern-saved-"));
mkdirSync(join(dir, "blog"), { recursive: true });
writeFileSync(
  join(dir, "blog", "a-post.mdx"),
  "---\ntitle: A post\ndate: 2026-11-01\n---\n\nText\n",
);
beforeEach(() => overrideEnv({ CONTENT_DIR: dir }));
afterAll(() => {
  overrideEnv({ CONTENT_DIR: undefined });
  rmSync(dir, { recursive: true, force: true });
});

async function send(body: string, cookie = "", headers: Record<string, string> = {}) {
  currentRequest.cookie = cookie;
  const response = await POST(
    new Request("http://localhost:3000/me/saved", {
      method: "POST",
      body,
      headers: {
        host: "localhost:3000",
        origin: "http://localhost:3000",
        "sec-fetch-site": "same-origin",
        "content-type": "application/x-www-form-urlencoded",
        ...headers,
      },
    }),
  );
  return [response.status, response.headers.get("location")];
}
const saved = () => selectRows(`SELECT "userId", "postSlug" FROM "SavedPost"`);

test("a form saves and removes a post and returns to it; a script gets no content", async () => {
  const { id, cookie } = await logInMember();
  expect(await send("slug=a-post&isSaved=yes", cookie)).toEqual([303, "/blog/a-post"]);
  // A field that a newer page adds is ignored.
  expect(await send("slug=a-post&isSaved=yes&userId=another", cookie)).toEqual([
    303,
    "/blog/a-post",
  ]);
  expect(await saved()).toEqual([{ userId: id, postSlug: "a-post" }]);
  const json = { accept: "application/json" };
  expect(await send("slug=a-post&isSaved=no", cookie, json)).toEqual([204, null]);
  expect(await saved()).toEqual([]);
});

test("without a session, a form leads to the login, and a script is refused", async () => {
  const body = "slug=a-post&isSaved=yes";
  expect(await send(body)).toEqual([303, "/login?next=%2Fblog%2Fa-post"]);
  expect(await send(body, "", { accept: "application/json" })).toEqual([401, null]);
});

test("nothing is saved for another site, an unknown post or invalid fields", async () => {
  const { cookie } = await logInMember();
  const foreign = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
  expect(await send("slug=a-post&isSaved=yes", cookie, foreign)).toEqual([403, null]);
  expect(await send("slug=unknown&isSaved=yes", cookie)).toEqual([404, null]);
  for (const body of ["", "slug=a-post", "slug=a-post&isSaved=maybe"])
    expect(await send(body, cookie), body).toEqual([400, null]);
  expect(await send(`slug=${"x".repeat(3_000)}&isSaved=yes`, cookie)).toEqual([413, null]);
  expect(await saved()).toEqual([]);
});
