// Runs compilePost with its real worker. A hostile post or plugin costs at most one worker, and
// gives a clear error.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { fuzzCount } from "#tests/support/random.ts";
import { closeCompiler, compilePost, createCompiler, type Compiler } from "./compiler.ts";
import type { CompileInput } from "./compiled-post.ts";

let dir: string;
let compiler: Compiler;
/** Its deadline is short, since most hostile posts compute until then. */
let hasty: Compiler;
const plugins: Record<string, string> = {
  loop: "export default () => () => { for (;;); }",
  wait: "export default () => () => new Promise(() => {})",
  buffers:
    "export default () => () => { const all = []; for (;;) all.push(Buffer.alloc(8e6, 1)); }",
  exit: "export default () => () => { process.exit(1) }",
  throws: "export default () => () => { throw new Error('my plugin is broken') }",
  upper:
    "export default () => (tree) => { tree.children[0].children[0].value = tree.children[0].children[0].value.toUpperCase() }",
};

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "mdx-"));
  for (const [name, code] of Object.entries(plugins)) writeFileSync(join(dir, `${name}.mjs`), code);
  compiler = createCompiler({ workers: 1, timeoutMs: 20_000, memoryMb: 256 });
  hasty = createCompiler({ workers: 1, timeoutMs: 800, memoryMb: 256 });
});
afterAll(async () => {
  await compiler.close();
  await hasty.close();
  await closeCompiler();
  rmSync(dir, { recursive: true });
});

const input = (body: string, more: Partial<CompileInput> = {}): CompileInput => ({
  file: "blog/x.mdx",
  bodyLine: 7,
  imageHosts: [],
  ...more,
  body,
});
const withPlugin = (name: string) => input("text", { extraPlugins: [join(dir, `${name}.mjs`)] });
/** Repeats an attempt, because on a busy machine even a short post may miss a short deadline. */
const repeat = (attempt: () => Promise<void>) => vi.waitFor(attempt, 30_000);
const compileNext = (subject: Compiler) =>
  repeat(async () => expect((await subject.compile(input("next"))).text).toBe("next"));

test("compiles in the shared pool, and an error of a post comes back as a PostError", async () => {
  const post = await compilePost(input("## Hi\n"));
  expect(post.headings).toEqual([{ depth: 2, id: "hi", text: "Hi" }]);
  await expect(compilePost(input("a\n\n<Foo />\n"))).rejects.toMatchObject({
    name: "AppError",
    code: "invalid",
    problem: { file: "blog/x.mdx", line: 9 },
  });
});

test("the worker loads an extra plugin and runs it before the built-in steps", async () => {
  expect((await compiler.compile(withPlugin("upper"))).text).toBe("TEXT");
});

test.each([
  ["loop", "compiling took longer than 0.8 s and was stopped"],
  ["wait", "compiling took longer than 0.8 s and was stopped"],
  ["exit", "the compiler crashed on this post: the worker stopped with exit code 1"],
])("a plugin that does %s costs one worker and one clear error", async (name, message) => {
  const subject = name === "exit" ? compiler : hasty;
  const before = subject.getStats();
  await expect(subject.compile(withPlugin(name))).rejects.toThrow(`blog/x.mdx:7: ${message}`);
  expect(subject.getStats().ended).toBe(before.ended + 1);
  await compileNext(subject);
});

test("a plugin that exhausts memory is stopped", async () => {
  const roomy = createCompiler({ workers: 1, timeoutMs: 20_000, memoryMb: 256 });
  await expect(roomy.compile(withPlugin("buffers"))).rejects.toThrow(
    "blog/x.mdx:7: compiling needed more than 256 MB of memory and was stopped",
  );
  expect((await roomy.compile(input("next"))).text).toBe("next");
  await roomy.close();
});

test("a plugin that throws costs an error and no worker", async () => {
  const before = compiler.getStats().ended;
  await expect(compiler.compile(withPlugin("throws"))).rejects.toThrow(
    "blog/x.mdx:7: the compiler failed: my plugin is broken",
  );
  expect(compiler.getStats().ended).toBe(before);
});

test("tens of megabytes of braces are rejected before parsing", async () => {
  await expect(compiler.compile(input("{".repeat(30 * 1024 * 1024)))).rejects.toThrow(
    "30.0 MB; the limit is 2 MB",
  );
});

const REPEATED_PIECES = [
  ["quotes", "> "],
  ["links", "[a]("],
  ["braces", "{"],
  ["brackets", "["],
  ["lists", "- "],
  ["tags", "<b>"],
  ["ticks", "`a``"],
  ["stars", "*a **"],
  ["dollars", "$a\\b"],
  ["comments", "<!--"],
] as const;

test.each(REPEATED_PIECES.slice(0, fuzzCount(3)))(
  "nearly two megabytes of %s finish within the deadline",
  async (_, piece) => {
    const since = performance.now();
    const [first] = await Promise.allSettled([
      hasty.compile(input(piece.repeat(Math.floor(1_900_000 / piece.length)))),
    ]);
    if (first.status === "rejected")
      expect(first.reason).toMatchObject({ problem: { file: "blog/x.mdx" } });
    expect(performance.now() - since).toBeLessThan(15_000);
    await compileNext(hasty);
  },
);

test("queued posts compile even if the running one is stopped", () =>
  repeat(async () => {
    const results = await Promise.allSettled([
      hasty.compile(withPlugin("wait")),
      hasty.compile(input("a")),
      hasty.compile(input("b")),
    ]);
    expect(results.map((result) => result.status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
  }));

test("a full queue rejects with unavailable", async () => {
  const small = createCompiler({ workers: 1, maxQueue: 1 });
  const all = await Promise.allSettled(["a", "b", "c"].map((body) => small.compile(input(body))));
  expect(all[2]).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
  expect(all[1]).toMatchObject({ status: "fulfilled" });
  await small.close();
});

test("the calling thread never loads the compiler, and idle workers do not keep it alive", () => {
  const script = `import { compilePost } from ${JSON.stringify(join(process.cwd(), "lib/posts/mdx/compiler.ts"))};
    import { registerHooks } from "node:module";
    const seen = []; registerHooks({ resolve(name, context, next) { seen.push(name); return next(name, context); } });
    const post = await compilePost({ file: "a.mdx", body: "## A", bodyLine: 1, imageHosts: [] });
    console.log(post.headings[0].id, seen.filter((name) => /mdx|shiki|remark/.test(name)).length);`;
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    timeout: 60_000,
    env: { ...process.env, VITEST: "" },
  });
  expect([run.stdout.trim(), run.status]).toEqual(["a 0", 0]);
});

/** Returns how many processes of esbuild this process has, including ended ones. */
function countBundlers(isRunning = true): number {
  const { stdout } = spawnSync("ps", ["-A", "-o", "ppid=,args="], { encoding: "utf8" });
  const pattern = isRunning ? "esbuild --service" : "esbuild";
  const isOurs = new RegExp(`^\\s*${process.pid}\\s.*${pattern}`);
  return stdout.split("\n").filter((line) => isOurs.test(line)).length;
}

const withCode = input('import { A } from "./a"\n\n<A />', {
  codeFiles: { "blog/a.tsx": "export const A = () => <b onClick={() => 1} />;" },
});

test("the bundler's process ends with the post, and leaves no zombie", async () => {
  expect((await compiler.compile(withCode)).code?.browser).toContain("onClick");
  await vi.waitFor(() => expect(countBundlers(false)).toBe(0), { timeout: 10_000 });
});

test("the bundler's process ends if its worker is terminated", async () => {
  const own = createCompiler({ workers: 1 });
  // Many posts, because on a busy machine the test may miss the bundler of a single one.
  const compiling = Promise.allSettled(Array.from({ length: 20 }, () => own.compile(withCode)));
  await vi.waitFor(() => expect(countBundlers()).toBe(1), { timeout: 20_000, interval: 1 });
  await own.close();
  expect((await compiling).at(-1)).toMatchObject({ status: "rejected" });
  await vi.waitFor(() => expect(countBundlers()).toBe(0), { timeout: 10_000 });
});
