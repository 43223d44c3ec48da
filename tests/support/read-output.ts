import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { onTestFinished } from "vitest";

/**
 * Returns the output of a detached process and of the programs that share it, once all have exited.
 * After a failed test, kills their process group.
 */
export async function readOutput(
  child: ChildProcessByStdio<null, Readable, null>,
): Promise<string> {
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  onTestFinished(() => {
    if (!child.stdout.closed) process.kill(-child.pid!, "SIGKILL");
  });
  await once(child, "close");
  return output;
}
