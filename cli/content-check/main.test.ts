import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "content-check-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(join(dir, dirname(path)), { recursive: true });
  writeFileSync(join(dir, path), text);
}
const post = (matter: string, body = "Text.") =>
  `---\ntitle: A\ndate: 2026-11-01\n${matter}description: About\n---\n\n${body}\n`;

interface Report {
  posts: number;
  ok: number;
  failed: { file: string; line: number; reason: string }[];
  warnings: string[];
}
/** Checks the folder as the site's own content or as another blog. */
function check(kind: "own" | "other"): Report {
  const args = [
    "cli/content-check/main.ts",
    "--offline",
    "--json",
    ...(kind === "other" ? ["--dir", join(dir, "blog")] : []),
  ];
  const env = { ...process.env, ...(kind === "own" && { CONTENT_DIR: dir }) };
  const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
  try {
    return JSON.parse(stdout) as Report;
  } catch {
    throw new Error(stdout + stderr);
  }
}

test("a missing local banner fails one of the site's posts but is a warning in another blog", () => {
  put("blog/beside.mdx", post("banner: ./nope.png\n"));
  put("blog/public.mdx", post("banner: /images/nope.png\n"));
  put("blog/remote.mdx", post("banner: https://x.example/a.png\n"));
  put("blog/folder/index.mdx", post("banner: ./there.png\n"));
  put("blog/folder/there.png", "");
  const problem = (file: string, name: string) => ({
    file,
    line: 4,
    reason: `the banner ${name} is not part of this site`,
  });
  expect(check("own")).toMatchObject({
    posts: 4,
    ok: 2,
    failed: [
      problem("blog/beside.mdx", "./nope.png"),
      problem("blog/public.mdx", "/images/nope.png"),
    ],
  });
  expect(check("other")).toMatchObject({
    posts: 4,
    ok: 4,
    failed: [],
    warnings: [
      "beside.mdx:4: the banner ./nope.png is not part of this site",
      "public.mdx:4: the banner /images/nope.png is not part of this site",
    ],
  });
});

test("text that is not Unicode is named with file and line", () => {
  put("blog/title.mdx", post('keywords: [a, "b\\uD800"]\n'));
  put("blog/text.mdx", post("", 'One\n\n{"\\uDC00"}'));
  put("blog/bytes.mdx", "");
  writeFileSync(join(dir, "blog/bytes.mdx"), Buffer.from("a\xed\xa0\x80", "latin1"));
  const rule = expect.stringContaining("has half of a character") as string;
  expect(check("own").failed).toEqual([
    { file: "blog/bytes.mdx", line: 1, reason: "The file is not UTF-8 text." },
    { file: "blog/text.mdx", line: 9, reason: rule },
    { file: "blog/title.mdx", line: 4, reason: rule },
  ]);
});

test("a link to a folder is not followed, so a cycle ends", () => {
  put("blog/folder/index.mdx", post(""));
  symlinkSync("..", join(dir, "blog/folder/round"));
  symlinkSync(join(dir, "blog"), join(dir, "blog/again"));
  for (const kind of ["own", "other"] as const)
    expect(check(kind)).toMatchObject({ posts: 1, ok: 1, failed: [], warnings: [] });
});

test("posts may be named constructor and __proto__", () => {
  put("blog/constructor.mdx", post(""));
  expect(check("own")).toMatchObject({ posts: 1, ok: 1, failed: [] });
  put("blog/__proto__.mdx", post("", 'import X from "./x.tsx"\n\n<X />'));
  expect(check("other")).toMatchObject({
    posts: 2,
    ok: 1,
    failed: [
      {
        file: "__proto__.mdx",
        reason: expect.stringContaining("is not part of this build") as string,
      },
    ],
  });
});
