// The thread that compiles. It may be ended at any moment: it holds nothing that anybody needs.

import { parentPort } from "node:worker_threads";
import { PostError, type PostProblem } from "#lib/posts/post-error.ts";
import type { CompiledPost, CompileInput } from "./compiled-post.ts";
import { compileInThread } from "./compile-pipeline.ts";

export type CompileResult = { ok: true; post: CompiledPost } | { ok: false; problem: PostProblem };

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
