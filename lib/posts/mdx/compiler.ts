// Compiles a post in a worker with a deadline. The calling thread never loads the MDX compiler.

import { join } from "node:path";
import { AppError } from "#lib/core/errors.ts";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { incrementCounter, observeHistogram } from "#lib/core/metrics.ts";
import { PostError } from "#lib/posts/post-error.ts";
import { peekSingleton, resetSingleton, singleton } from "#lib/core/singleton.ts";
import {
  MAX_BODY_BYTES,
  type CompiledPost,
  type CompileInput,
  type CompileResult,
} from "./compiled-post.ts";
import { createWorkerPool, WorkerPoolError, type WorkerPool } from "./worker-pool.ts";

export interface CompilerOptions {
  readonly workers?: number;
  readonly timeoutMs?: number;
  readonly memoryMb?: number;
  readonly maxQueue?: number;
}

export interface Compiler {
  /** Compiles like `compilePost`. */
  compile(input: CompileInput): Promise<CompiledPost>;
  close(): Promise<void>;
  getStats(): ReturnType<WorkerPool<CompileInput, CompileResult>["getStats"]>;
}

/**
 * Real posts need about 130 MB of heap and buffers. By measurement, 1.9 MB of text (20 times the
 * longest post) still fits.
 */
const MAX_MEMORY_MB = 384;
const MB = 1024 * 1024;

/**
 * Returns a compiler with a separate pool. Defaults come from COMPILE_WORKERS and
 * COMPILE_TIMEOUT_MS.
 */
export function createCompiler(options: CompilerOptions = {}): Compiler {
  const timeoutMs = options.timeoutMs ?? env.COMPILE_TIMEOUT_MS;
  const memoryMb = options.memoryMb ?? MAX_MEMORY_MB;
  const pool = createWorkerPool<CompileInput, CompileResult>({
    // Not import.meta.url, which would point into the bundle.
    file: join(/* turbopackIgnore: true */ process.cwd(), "lib/posts/mdx/compile-worker.ts"),
    size: options.workers ?? env.COMPILE_WORKERS,
    timeoutMs,
    memoryMb,
    maxQueue: options.maxQueue ?? 1_000,
    idleMs: 10_000,
    maxJobs: 500,
  });

  function toCompileError({ file, bodyLine }: CompileInput, error: WorkerPoolError): AppError {
    if (error.reason === "full" || error.reason === "closed")
      return new AppError("unavailable", `${file} was not compiled: ${error.message}`, {
        retryAfterSeconds: 10,
        cause: error,
      });
    const reason = {
      timeout: `compiling took longer than ${timeoutMs / 1000} s and was stopped`,
      memory: `compiling needed more than ${memoryMb} MB of memory and was stopped`,
      input: `it could not be sent to the compiler: ${error.message}`,
      crash: `the compiler crashed on this post: ${error.message}`,
    }[error.reason];
    return new PostError({ file, line: bodyLine, reason }, { cause: error });
  }

  async function compile(input: CompileInput): Promise<CompiledPost> {
    const bytes = Buffer.byteLength(input.body);
    if (bytes > MAX_BODY_BYTES) {
      const reason = `it is ${(bytes / MB).toFixed(1)} MB; the limit is ${MAX_BODY_BYTES / MB} MB`;
      throw new PostError({ file: input.file, line: input.bodyLine, reason });
    }
    let result: CompileResult;
    const startedMs = performance.now();
    try {
      result = await pool.run(input);
      incrementCounter("compiles", { result: result.ok ? "ok" : "refused" });
      observeHistogram("compile_seconds", (performance.now() - startedMs) / 1000);
    } catch (error) {
      if (!(error instanceof WorkerPoolError)) throw error;
      incrementCounter("compiles", { result: error.reason });
      log("warn", "mdx.worker_failed", {
        file: input.file,
        reason: error.reason,
        detail: error.message,
      });
      throw toCompileError(input, error);
    }
    if (!result.ok) throw new PostError(result.problem);
    return result.post;
  }

  return { compile, close: () => pool.close(), getStats: () => pool.getStats() };
}

/**
 * Compiles a post in the pool shared by this process. Not cached: the caller caches by content
 * hash. Throws PostError (file, line, reason) for a post that is invalid, longer than 2 MB, or
 * exceeds COMPILE_TIMEOUT_MS or the memory limit; AppError(unavailable) if more than 1,000 posts
 * wait.
 */
export function compilePost(input: CompileInput): Promise<CompiledPost> {
  return singleton("compiler", () => createCompiler()).compile(input);
}

/** Terminates the shared workers; the next compilePost starts new ones. */
export async function closeCompiler(): Promise<void> {
  const compiler = peekSingleton<Compiler>("compiler");
  resetSingleton("compiler");
  await compiler?.close();
}
