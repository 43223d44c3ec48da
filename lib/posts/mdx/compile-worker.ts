// Compiles posts in a worker thread. Stateless: the pool may terminate it at any moment.

import { parentPort } from "node:worker_threads";
import { PostError } from "#lib/posts/post-error.ts";
import type { CompileInput, CompileResult } from "./compiled-post.ts";
import { compileInThread } from "./compile-pipeline.ts";

if (!parentPort) throw new Error("lib/posts/mdx/compile-worker.ts runs as a worker thread only");
const port = parentPort;

port.on("message", (input: CompileInput) => {
  compileInThread(input).then(
    (post) => port.postMessage({ ok: true, post } satisfies CompileResult),
    (error: unknown) => {
      const problem =
        error instanceof PostError
          ? error.problem
          : { file: input.file, line: input.bodyLine, reason: String(error) };
      port.postMessage({ ok: false, problem } satisfies CompileResult);
    },
  );
});
port.postMessage("ready");
