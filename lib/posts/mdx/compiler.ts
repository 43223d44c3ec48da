// compilePost: one post, compiled in a worker that has a deadline. No compiler is loaded in this thread.

import { join } from "node:path";
import { AppError } from "#lib/core/errors.ts";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { incrementCounter, observeHistogram } from "#lib/core/metrics.ts";
import { PostError, type PostProblem } from "#lib/posts/post-error.ts";
import { MAX_BODY_BYTES, type CompiledPost, type CompileInput } from "./compiled-post.ts";
import { createWorkerPool, WorkerPoolError, type WorkerPool } from "./worker-pool.ts";

export type {
  CompiledPost,
  CompileInput,
  Heading,
  PostImages,
  LocalImport,
  PostImage,
} from "./compiled-post.ts";

export interface CompilerOptions {
  readonly workers?: number;
  readonly timeoutMs?: number;
  readonly memoryMb?: number;
  readonly maxQueue?: number;
  readonly idleMs?: number;
  /** Path of lib/posts/mdx/compile-worker.ts, for a program that doesn't run in the site's folder. */
  readonly workerFile?: string;
}

export interface Compiler {
  /** Like `compilePost`. */
  compile(input: CompileInput): Promise<CompiledPost>;
  close(): Promise<void>;
  getStats(): ReturnType<WorkerPool<CompileInput, CompileResult>["getStats"]>;
}

type CompileResult = { ok: true; post: CompiledPost } | { ok: false; problem: PostProblem };

/** Real posts need about 130 MB of heap and buffers; 1.9 MB of text (twenty times the longest real post) still fits, measured. The site has 1 GB. */
const MAX_MEMORY_MB = 384;

/** A compiler with a pool of its own. Defaults come from COMPILE_WORKERS and COMPILE_TIMEOUT_MS. */
export function createCompiler(options: CompilerOptions = {}): Compiler {
  const timeoutMs = options.timeoutMs ?? env.COMPILE_TIMEOUT_MS;
  const memoryMb = options.memoryMb ?? MAX_MEMORY_MB;
  const pool = createWorkerPool<CompileInput, CompileResult>({
    // Not import.meta.url: bundled into a page, that would point into the bundle.
    file:
      options.workerFile ??
      join(/* turbopackIgnore: true */ process.cwd(), "lib/posts/mdx/compile-worker.ts"),
    size: options.workers ?? env.COMPILE_WORKERS,
    timeoutMs,
    memoryMb,
    maxQueue: options.maxQueue ?? 1_000,
    idleMs: options.idleMs ?? 10_000,
    maxJobs: 500,
  });

  async function compile(input: CompileInput): Promise<CompiledPost> {
    const bytes = Buffer.byteLength(input.body);
    const fail = (reason: string, cause?: unknown) =>
      new PostError({ file: input.file, line: input.bodyLine, reason }, { cause });
    if (bytes > MAX_BODY_BYTES)
      throw fail(
        `it has ${(bytes / 1024 / 1024).toFixed(1)} MB; a post may have ${MAX_BODY_BYTES / 1024 / 1024} MB`,
      );
    let answer: CompileResult;
    const startedMs = performance.now();
    try {
      answer = await pool.run(input);
      incrementCounter("compiles", { result: answer.ok ? "ok" : "refused" });
      observeHistogram("compile_seconds", (performance.now() - startedMs) / 1000);
    } catch (error) {
      if (!(error instanceof WorkerPoolError)) throw error;
      incrementCounter("compiles", { result: error.reason });
      log("warn", "mdx.worker_ended", {
        file: input.file,
        reason: error.reason,
        detail: error.message,
      });
      if (error.reason === "full" || error.reason === "closed") {
        throw new AppError("unavailable", `${input.file} was not compiled: ${error.message}`, {
          retryAfterSeconds: 10,
          cause: error,
        });
      }
      if (error.reason === "timeout")
        throw fail(`compiling took longer than ${timeoutMs / 1000} s and was stopped`, error);
      if (error.reason === "memory")
        throw fail(`compiling needed more than ${memoryMb} MB of memory and was stopped`, error);
      if (error.reason === "input")
        throw fail(`it could not be given to the compiler: ${error.message}`, error);
      throw fail(`the compiler stopped while it worked on this post: ${error.message}`, error);
    }
    if (!answer.ok) throw new PostError(answer.problem);
    return answer.post;
  }

  return { compile, close: () => pool.close(), getStats: () => pool.getStats() };
}

// On globalThis: pages, handlers and middleware are bundled apart, and each copy would start workers of its own.
const processGlobals = globalThis as { __lecternCompiler?: Compiler };

/**
 * Compiles one post in the pool that this process shares.
 * Throws a PostError (file, line, reason) for everything that is wrong with the post: syntax, a construct that isn't
 * supported, more than 2 MB, longer than COMPILE_TIMEOUT_MS, too much memory. Throws AppError "unavailable" when more
 * than 1,000 posts wait. Not cached here: the caller keeps results by content hash.
 */
export function compilePost(input: CompileInput): Promise<CompiledPost> {
  processGlobals.__lecternCompiler ??= createCompiler();
  return processGlobals.__lecternCompiler.compile(input);
}

/** Ends the shared workers; the next compilePost starts new ones. */
export async function closeCompiler(): Promise<void> {
  const compiler = processGlobals.__lecternCompiler;
  delete processGlobals.__lecternCompiler;
  await compiler?.close();
}
