import { spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { env } from "./env.ts";
import { runCommand } from "./run-command.ts";

const run = (script: string, deadlineMs = 10_000) =>
  runCommand("/bin/sh", ["-c", script], { deadlineMs, maxOutputChars: 20, isLowPriority: true });

test("output is bounded, and the exit code is returned", async () => {
  expect(await run("seq 1000; echo problem >&2; exit 4")).toMatchObject({
    code: 4,
    stdout: expect.stringMatching(/^1\n2\n3\n[\s\S]{14}$/) as string,
    stderr: "problem\n",
  });
});

test("after the deadline, a program and its children are killed", async () => {
  const file = join(env.DATA_DIR, "child.pid");
  writeFileSync(file, "");
  let result: Awaited<ReturnType<typeof run>> | undefined;
  // On a busy machine, a short deadline may pass before the shell has started the child.
  for (let deadlineMs = 500; readFileSync(file, "utf8") === ""; deadlineMs *= 4)
    result = await run(`sleep 60 & echo $! > "${file}"; wait`, deadlineMs);
  expect(result?.code).toBeNull();
  await expectEnded(Number(readFileSync(file, "utf8")));
});

async function expectEnded(pid: number): Promise<void> {
  expect(pid).toBeGreaterThan(0);
  // A killed child may still be a zombie until its parent collects it.
  await expect
    .poll(
      () => {
        try {
          return readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")[2];
        } catch {
          return "gone";
        }
      },
      { timeout: 20_000 },
    )
    .toMatch(/Z|gone/);
}

test("a program and its children are killed if this process is killed", async () => {
  const file = join(env.DATA_DIR, "orphan.pid");
  writeFileSync(file, "");
  const site = spawn(process.execPath, [
    "--input-type=module",
    "--eval",
    `import { runCommand } from ${JSON.stringify(join(import.meta.dirname, "run-command.ts"))};
     await runCommand("/bin/sh", ["-c", 'sleep 60 & echo $! > "${file}"; wait'], { deadlineMs: 60_000, maxOutputChars: 20 });`,
  ]);
  await expect.poll(() => readFileSync(file, "utf8"), { timeout: 20_000 }).not.toBe("");
  site.kill("SIGKILL");
  await expectEnded(Number(readFileSync(file, "utf8")));
});

test("a program ends even if a daemon that it started keeps its output open", async () => {
  const file = join(env.DATA_DIR, "daemon.pid");
  writeFileSync(file, "");
  const startedMs = performance.now();
  const result = await run(`setsid sh -c 'echo $$ > "${file}"; exec sleep 60' & echo started`);
  await expect.poll(() => readFileSync(file, "utf8"), { timeout: 20_000 }).not.toBe("");
  process.kill(Number(readFileSync(file, "utf8")), "SIGKILL");
  expect(result).toMatchObject({ code: 0, stdout: "started\n" });
  expect(performance.now() - startedMs).toBeLessThan(30_000);
});

test("a program that doesn't exist is reported by the shell's exit code and message", async () => {
  const options = { deadlineMs: 10_000, maxOutputChars: 100 };
  expect(await runCommand("/no/such/program", [], options)).toMatchObject({
    code: 127,
    stderr: expect.stringContaining("/no/such/program") as string,
  });
});

test("a program that waits for all of its children ends", async () => {
  const options = { deadlineMs: 10_000, maxOutputChars: 20 };
  expect(await runCommand("perl", ["-e", "1 while wait() != -1; print 1"], options)).toMatchObject({
    code: 0,
    stdout: "1",
  });
});

test("a process without free file descriptors survives, and can run a program later", () => {
  const script = `
    import { closeSync, openSync } from "node:fs";
    import { runCommand } from ${JSON.stringify(join(import.meta.dirname, "run-command.ts"))};
    const run = () => runCommand("true", [], { deadlineMs: 10_000, maxOutputChars: 20 });
    const fds = [];
    try {
      for (;;) fds.push(openSync("/dev/null"));
    } catch {}
    const error = await run().catch((error) => error);
    fds.forEach((fd) => closeSync(fd));
    console.log(error.code, (await run()).code);`;
  const args = [process.execPath, "--input-type=module", "--eval", script];
  const site = spawnSync("/bin/sh", ["-c", 'ulimit -n 200; exec "$@"', "sh", ...args], {
    encoding: "utf8",
  });
  expect(site).toMatchObject({ status: 0, stdout: "EMFILE 0\n" });
});
