import { execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { closeImageProcess } from "#lib/posts/images/run-image-job.ts";
import { closeCompiler } from "#lib/posts/mdx/compiler.ts";
import { getCatalogStatus, startCatalog, stopCatalog } from "#lib/posts/catalog/site-catalog.ts";
import { MAX_FILE_BYTES } from "#lib/posts/source/content-source.ts";
import { type TestGitHost, startGitHost } from "#tests/support/git-host.ts";
import { overrideEnv } from "#tests/support/override-env.ts";

let dir: string;
let host: TestGitHost | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "content-check-"));
});
afterEach(async () => {
  await stopCatalog();
  overrideEnv({ CONTENT_DIR: undefined });
  await host?.close();
  host = undefined;
  rmSync(dir, { recursive: true });
});
afterAll(async () => {
  await closeCompiler();
  closeImageProcess();
});

function put(path: string, text: string | Uint8Array): void {
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

/** Runs the command. Rejects if it does not print a report. */
async function check(
  env: Record<string, string>,
  ...options: string[]
): Promise<Report & { exitCode: number }> {
  const args = ["cli/content-check/main.ts", "--offline", "--json", ...options];
  const { exitCode, stdout, stderr } = await new Promise<{
    exitCode: number;
    stdout: string;
    stderr: string;
  }>((resolve) =>
    execFile(
      process.execPath,
      args,
      // Starting a second worker takes longer than compiling these posts.
      { env: { ...process.env, COMPILE_WORKERS: "1", ...env } },
      (error, stdout, stderr) => resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr }),
    ),
  );
  try {
    return { ...(JSON.parse(stdout) as Report), exitCode };
  } catch {
    throw new Error(`${exitCode} ${stdout}${stderr}`);
  }
}
const checkOwn = (...options: string[]) => check({ CONTENT_DIR: dir }, ...options);
const checkDir = (...options: string[]) => check({}, "--dir", join(dir, "blog"), ...options);

/** Returns what the running site says about the same folder, with paths below blog/. */
async function readSiteVerdict() {
  overrideEnv({ CONTENT_DIR: dir });
  startCatalog();
  await expect
    .poll(() => getCatalogStatus(), { timeout: 20_000 })
    .toMatchObject({
      servedVersion: expect.any(String) as string,
      pendingCount: 0,
      buildProgress: null,
    });
  const { failures, warnings } = getCatalogStatus();
  return toVerdict({
    failed: failures.map(({ file, line, reason }) => ({ file, line, reason })),
    warnings: [...warnings],
  });
}

function toVerdict({ failed, warnings }: Pick<Report, "failed" | "warnings">) {
  return {
    failed: failed
      .map(({ file, line, reason }) => `${file.replace(/^blog\//, "")}:${line}: ${reason}`)
      .sort(),
    warnings: warnings.map((warning) => warning.replace(/^blog\//, "")).sort(),
  };
}

async function putEveryKindOfTrouble(): Promise<void> {
  const jpeg = await sharp({
    create: { width: 400, height: 400, channels: 3, background: "#369" },
  })
    .jpeg()
    .toBuffer();
  put("blog/good.mdx", post("", "![A](https://x.example/a.png) and https://x.example"));
  put("blog/banner.mdx", post("banner: ./nope.png\n"));
  put("blog/missing.mdx", post("", "![A](./gone.png)\n\n![B](/gone/b.png)\n\n![C](../c.png)"));
  put(
    "blog/images/index.mdx",
    post("", "![A](cut.jpg) ![B](empty.png) ![C](text.png) [d](film.mp4)"),
  );
  put("blog/images/cut.jpg", jpeg.subarray(0, jpeg.length / 2));
  put("blog/images/empty.png", "");
  put("blog/images/text.png", "text");
  put("blog/images/unused.svg", "text");
  put("blog/images/film.mp4", new Uint8Array(MAX_FILE_BYTES + 1));
  put("blog/twice.mdx", post(""));
  put("blog/twice/index.mdx", post(""));
  put("blog/syntax.mdx", post("", "<div>"));
  put("blog/component.mdx", post("", "<Nope />"));
  put("blog/import.mdx", post("", 'import X from "./x.tsx"\n\n<X />'));
  put("blog/yaml.mdx", "---\ntitle: [\n---\n\nText.\n");
  put("blog/date.mdx", post("").replace("2026-11-01", "someday"));
  put("blog/surrogate.mdx", post("", 'One\n\n{"\\uDC00"}'));
  put("blog/latin1.mdx", Buffer.from(post("", "caf\xe9"), "latin1"));
  put("blog/constructor.mdx", post(""));
  put("blog/README.md", "# Read me\n");
  put("blog/deep/post.mdx", post(""));
  put("blog/twice/part.mdx", post(""));
  put("blog/renamed.markdown", post(""));
}

test("the site, the check of its folder, of any folder and of a Git repository say the same", async () => {
  await putEveryKindOfTrouble();
  const site = await readSiteVerdict();
  expect(site.failed.map((line) => line.split(":")[0])).toEqual(
    expect.arrayContaining(["component.mdx", "date.mdx", "latin1.mdx", "syntax.mdx", "yaml.mdx"]),
  );
  expect(site.warnings).toEqual(
    expect.arrayContaining([
      "banner.mdx:4: the banner ./nope.png is not part of this site",
      expect.stringMatching(/^images\/index\.mdx:7: \.\/film\.mp4: .*25\.1 MB/),
      "twice/part.mdx:1: it is not a post, because blog/twice belongs to its index file: move it, or remove the index file",
      expect.stringMatching(/^renamed\.markdown:1: it is not a path for a post/),
      "missing.mdx:7: the image ./gone.png is not part of this site",
      expect.stringMatching(/^images\/unused\.svg:1: it can't be read as an image/),
      expect.stringMatching(/^images\/index\.mdx:7: \.\/cut\.jpg: it is served unchanged/),
    ]),
  );
  const own = await checkOwn();
  expect([own.exitCode, toVerdict(own)]).toEqual([1, site]);
  expect(toVerdict(await checkDir())).toEqual(site);
  host = await startGitHost();
  host.commit(readFiles());
  const git = await check({
    CONTENT_SOURCE: "git",
    CONTENT_GIT_API: host.api,
    CONTENT_GIT_REPOSITORY: host.repository,
    FETCH_ALLOW_PRIVATE: host.address,
  });
  expect(toVerdict(git)).toEqual(site);
});

/** Returns all files as the repository has them, below content/. */
function readFiles(): Record<string, Uint8Array> {
  return Object.fromEntries(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [`content${file.slice(dir.length)}`, readFileSync(file)]),
  );
}

test("warnings fail only with --strict", async () => {
  put("blog/a.mdx", post("", "![A](./gone.png)"));
  expect(await checkOwn()).toMatchObject({ exitCode: 0, posts: 1, ok: 1, failed: [] });
  expect(await checkOwn("--strict")).toMatchObject({ exitCode: 1, posts: 1, ok: 1, failed: [] });
  put("blog/a.mdx", post(""));
  expect(await checkDir("--strict")).toMatchObject({ exitCode: 0, warnings: [] });
});

test("a symbolic link is reported and not followed, so a cycle ends", async () => {
  put("blog/folder/index.mdx", post(""));
  symlinkSync("..", join(dir, "blog/folder/round"));
  symlinkSync(join(dir, "blog"), join(dir, "blog/again"));
  expect(await checkOwn()).toMatchObject({
    posts: 1,
    ok: 1,
    failed: [],
    warnings: [
      expect.stringMatching(/^blog\/again:1: it is a symbolic link/),
      expect.stringMatching(/^blog\/folder\/round:1: it is a symbolic link/),
    ],
  });
});

test("a folder that can't be read is exit code 2", async () => {
  await expect(checkDir()).rejects.toThrow(/^2 There is no folder/);
  await expect(check({ CONTENT_DIR: join(dir, "none") })).rejects.toThrow(/^2 .*can't be read/s);
});
