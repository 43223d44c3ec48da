// Runs the real command in a copy of what it changes, and the site's check on its result.

import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { loadSiteConfig } from "#lib/core/site-config.ts";

let clone: string;

const EXAMPLE_FILES = {
  "site.config.ts": `import { defineSiteConfig } from "#lib/core/define-site-config.ts";
export default defineSiteConfig({ name: "Lectern", author: { name: "The Lectern authors" } });`,
  "content/.examples": "# comment\nblog/one.mdx\nblog/two\npages/about.mdx\nblog/../../lib\n/etc\n",
  "content/blog/one.mdx": "Lectern",
  "content/blog/two/index.mdx": "Lectern",
  "content/blog/two/parts.tsx": "export const Part = () => null;",
  "content/pages/about.mdx": "About Lectern",
};

beforeEach(() => {
  clone = join(process.env.DATA_DIR!, "clone");
  for (const [path, text] of Object.entries(EXAMPLE_FILES)) {
    mkdirSync(dirname(join(clone, path)), { recursive: true });
    writeFileSync(join(clone, path), text);
  }
  cpSync("package.json", join(clone, "package.json"));
  // The configuration imports its types from here.
  symlinkSync(resolve("lib"), join(clone, "lib"));
});

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [resolve("cli/init/main.ts"), ...args],
    { encoding: "utf8", cwd: clone, input: "" },
  );
  return { status, stdout, stderr };
}

const OWN = [
  "--name",
  'Ada\'s "Notes"',
  "--author",
  "Ada Lovelace",
  "--description",
  "Notes on {engines} & more",
  "--url",
  "ada.example",
  "--features",
  "none",
];
const textOf = (path: string) => readFileSync(join(clone, path), "utf8");

test("the site becomes its owner's, without a word about the authors of the examples", () => {
  const { status, stdout, stderr } = run(...OWN, "--remove-examples");
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(
    /^Deleted 3 example posts and pages\.\nWrote site\.config\.ts, content\/blog\/hello\.mdx, content\/pages\/about\.mdx\.\nAdded SITE_URL and SEED to \.env\./,
  );
  expect(textOf("site.config.ts")).toContain("newsletter: false");
  expect(loadSiteConfig(join(clone, "site.config.ts"))).toMatchObject({
    name: 'Ada\'s "Notes"',
    description: "Notes on {engines} & more",
    author: { name: "Ada Lovelace" },
    features: { teams: false, calls: false, members: false, newsletter: false },
  });
  expect(textOf(".env")).toBe("SITE_URL=https://ada.example\nSEED=off\n");
  expect(statSync(join(clone, ".env")).mode & 0o777).toBe(0o600);
  const files = readdirSync(join(clone, "content"), { recursive: true, encoding: "utf8" });
  expect(files.sort()).toEqual(["blog", "blog/hello.mdx", "pages", "pages/about.mdx"]);
  for (const file of files.filter((path) => path.endsWith(".mdx")))
    expect(textOf(join("content", file))).not.toMatch(/Lectern/);
  const check = spawnSync(process.execPath, ["cli/content-check/main.ts", "--offline", "--json"], {
    encoding: "utf8",
    env: {
      ...process.env,
      CONTENT_DIR: join(clone, "content"),
      SITE_CONFIG: join(clone, "site.config.ts"),
    },
  });
  expect(JSON.parse(check.stdout)).toMatchObject({ failed: [], warnings: [] });
});

test("what the owner has written is never replaced without asking", () => {
  writeFileSync(join(clone, ".env"), "SITE_URL=https://mine.example\nPORT=3001");
  expect(run(...OWN).status).toBe(0);
  expect(textOf(".env")).toBe("SITE_URL=https://mine.example\nPORT=3001\nSEED=off\n");
  expect(existsSync(join(clone, "content/.examples"))).toBe(true);
  const config = textOf("site.config.ts");
  writeFileSync(join(clone, "content/blog/hello.mdx"), "mine");
  expect(run("--name", "Other")).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("--force") as string,
  });
  expect(textOf("site.config.ts")).toBe(config);
  expect(run("--name", "Other", "--force").status).toBe(0);
  expect(textOf("site.config.ts")).toContain('name: "Other"');
  expect(textOf("content/blog/hello.mdx")).toBe("mine");
});

test("a file that can't be written is named, and no example is deleted", () => {
  symlinkSync("missing/folder", join(clone, ".env"));
  const config = textOf("site.config.ts");
  expect(run(...OWN, "--remove-examples")).toEqual({
    status: 1,
    stdout: "",
    stderr: ".env can't be written (ENOENT).\n",
  });
  expect([textOf("site.config.ts"), textOf("content/blog/one.mdx")]).toEqual([config, "Lectern"]);
});

test("an edited configuration is the owner's, even if it still names the example author", () => {
  const git = (...args: string[]) =>
    spawnSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
      cwd: clone,
    });
  git("init");
  git("add", "site.config.ts");
  git("commit", "-m", "start");
  const edited = EXAMPLE_FILES["site.config.ts"].replace('"Lectern"', '"Notes"');
  writeFileSync(join(clone, "site.config.ts"), edited);
  expect(run("--name", "Other").status).toBe(1);
  expect(textOf("site.config.ts")).toBe(edited);
  git("checkout", "site.config.ts");
  expect(run("--name", "Other").status).toBe(0);
});

test("teams and calls bring the members that they need", () => {
  expect(run("--name", "A", "--features", "calls").status).toBe(0);
  expect(loadSiteConfig(join(clone, "site.config.ts")).features).toMatchObject({
    teams: false,
    calls: true,
    members: true,
  });
});

test("a missing name and wrong answers are refused before anything is written", () => {
  const before = textOf("site.config.ts");
  for (const [args, problem] of [
    [[], "The site needs a name"],
    [["--name", "A", "--url", "not an address"], "is not an address"],
    [
      ["--name", "A", "--features", "shop"],
      '"shop" is not teams, calls, members, newsletter or none',
    ],
    [["--name", "A".repeat(200)], "name: must have at most"],
  ] as const)
    expect([args, run(...args)]).toMatchObject([
      args,
      { status: 2, stderr: expect.stringContaining(problem) as string },
    ]);
  expect(textOf("site.config.ts")).toBe(before);
});

test("the examples are removed once, and the owner's posts stay", () => {
  writeFileSync(join(clone, "content/blog/mine.mdx"), "mine");
  expect(run("remove-examples")).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^Deleted 3 example/) as string,
  });
  expect(readdirSync(join(clone, "content/blog"))).toEqual(["mine.mdx"]);
  expect(run("remove-examples").stdout).toBe("There are no example posts.\n");
});
