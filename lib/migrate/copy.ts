// Copies whole tables of one state of the source into a new file.

import { Worker } from "node:worker_threads";
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import { AppError } from "../base/errors.ts";
import { copyStatement } from "./copy-rows.ts";
import type { LoadOptions, LoadReply, LoadRequest } from "./load-worker.ts";
import type { Choices, MoveTable } from "./move.ts";
import { asSourceError } from "./source.ts";

/** What is sent to the other thread at once. */
const CHUNK_BYTES = 1_048_576;
/** So many chunks may wait there; then the source waits. With the socket's own buffers this is what a copy holds. */
const MAX_WAITING = 4;
/** A source that sends nothing for so long is gone. Sorting five million rows takes some ten seconds. */
const SILENCE_MS = 120_000;

export interface Copied {
  readonly target: string;
  /** That came, those put aside included. */
  readonly rows: number;
  readonly aside: number;
}

export interface CopyOptions {
  /** In a transaction that reads one state. */
  readonly source: pg.Client;
  readonly tables: readonly MoveTable[];
  readonly choices: Choices;
  /** Made by makeTarget. Half-filled when this throws. */
  readonly file: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { table: string; rows: number }) => void;
}

/**
 * Fills the tables of `file` in their order, and puts rows aside that point at nothing. Throws AppError(conflict), naming table and key, for a row
 * that the target's rules refuse where that was not decided; AppError(unavailable) when the source is lost or the disk is full.
 */
export async function copyTables({ source, tables, choices, file, signal, onProgress }: CopyOptions): Promise<Copied[]> {
  const loader = startLoader({ file, choices });
  try {
    const copied: Copied[] = [];
    for (const table of tables) {
      await loader.ask({ kind: "table", table });
      await send(source, table, loader, signal, (rows) => onProgress?.({ table: table.target, rows }));
      const done = await loader.ask({ kind: "end" });
      onProgress?.({ table: table.target, rows: done.rows });
      copied.push({ target: table.target, rows: done.rows, aside: done.aside ?? 0 });
    }
    await loader.ask({ kind: "orphans", tables });
    await loader.ask({ kind: "close" });
    return copied;
  } finally {
    await loader.end();
  }
}

interface Loader {
  /** Resolves with the thread's answer to this request, after those to all before it. */
  ask(request: LoadRequest, transfer?: ArrayBuffer[]): Promise<{ rows: number; aside?: number }>;
  end(): Promise<void>;
}

function startLoader(options: LoadOptions): Loader {
  const worker = new Worker(new URL("./load-worker.ts", import.meta.url), { workerData: options, resourceLimits: { maxYoungGenerationSizeMb: 16 } });
  const waiting: { resolve(reply: { rows: number; aside?: number }): void; reject(error: unknown): void }[] = [];
  let broken: unknown;
  const fail = (error: unknown) => {
    broken ??= error;
    for (const { reject } of waiting.splice(0)) reject(broken);
  };
  worker.on("message", (reply: LoadReply) => {
    if (reply.kind !== "failed") return waiting.shift()?.resolve(reply);
    if (!reply.isTelling) return fail(new Error(reply.message));
    return fail(/disk is full|SQLITE_FULL/i.test(reply.message) ? new AppError("unavailable", "The disk is full.") : new AppError("conflict", reply.message));
  });
  worker.on("error", fail);
  worker.on("exit", () => fail(new Error("the loading thread ended")));
  return {
    ask(request, transfer = []) {
      if (broken) return Promise.reject(broken);
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        worker.postMessage(request, transfer);
      });
    },
    async end() {
      broken ??= new Error("the loading thread was ended");
      await worker.terminate();
    },
  };
}

async function send(source: pg.Client, table: MoveTable, loader: Loader, signal: AbortSignal | undefined, onRows: (rows: number) => void): Promise<void> {
  const stream = source.query(copyTo(copyStatement(table)));
  const stop = (error: Error) => stream.destroy(error);
  const onAbort = () => stop(new AppError("unavailable", "The copy was stopped."));
  signal?.addEventListener("abort", onAbort);
  let timer = setTimeout(() => {}, 0);
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stop(new AppError("unavailable", `PostgreSQL has sent nothing for ${SILENCE_MS / 1000} seconds.`)), SILENCE_MS);
  };
  // A connection that breaks is not always told to the stream of a COPY.
  const onEnd = () => stop(new AppError("unavailable", "The connection to PostgreSQL broke."));
  source.once("end", onEnd);
  const inFlight = new Set<Promise<void>>();
  let chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let filled = 0;
  const flush = async () => {
    if (filled === 0) return;
    const bytes = chunk.subarray(0, filled);
    const sent: Promise<void> = loader.ask({ kind: "chunk", bytes }, [chunk.buffer as ArrayBuffer]).then(({ rows }) => {
      inFlight.delete(sent);
      onRows(rows);
    });
    sent.catch(() => {});
    inFlight.add(sent);
    chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    filled = 0;
    if (inFlight.size >= MAX_WAITING) await Promise.race(inFlight);
  };
  try {
    alive();
    for await (const piece of stream as AsyncIterable<Buffer>) {
      alive();
      for (let from = 0; from < piece.length; ) {
        const size = Math.min(piece.length - from, CHUNK_BYTES - filled);
        piece.copy(chunk, filled, from, from + size);
        filled += size;
        from += size;
        if (filled === CHUNK_BYTES) await flush();
      }
    }
    await flush();
    await Promise.all(inFlight);
  } catch (error) {
    throw isOurs(error) ? error : asSourceError(error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    source.off("end", onEnd);
  }
}

/** An error of the loading thread, which has nothing to do with the source. */
function isOurs(error: unknown): boolean {
  return error instanceof AppError || /loading thread|COPY/.test(String((error as Error).message));
}
