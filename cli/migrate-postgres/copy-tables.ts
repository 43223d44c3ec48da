// Copies whole tables of one state of the source into a new file.

import { Worker } from "node:worker_threads";
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import { AppError } from "#lib/core/errors.ts";
import { copyToSql } from "./binary-copy-reader.ts";
import type { LoadOptions, LoadReply, LoadRequest } from "./load-rows.worker.ts";
import type { MigrationOptions, TableMapping } from "./table-mapping.ts";
import { toSourceError } from "./source-connection.ts";

/** What is given to the other thread at once. */
const CHUNK_BYTES = 1_048_576;
/** So many chunks may wait there; then the source waits. With the socket's own buffers this is what a copy holds. */
const BUFFER_COUNT = 5;
/** A source that sends nothing for so long is gone. Sorting five million rows takes some ten seconds. */
const SILENCE_TIMEOUT_MS = 120_000;

export interface CopiedTable {
  readonly target: string;
  /** That came, those put aside included. */
  readonly rows: number;
  readonly aside: number;
}

export interface CopyOptions {
  /** In a transaction that reads one state. */
  readonly source: pg.Client;
  readonly tables: readonly TableMapping[];
  readonly choices: MigrationOptions;
  /** Made by makeTarget. Half-filled when this throws. */
  readonly file: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { table: string; rows: number }) => void;
}

/**
 * Fills the tables of `file` in their order, and puts rows aside that point at nothing. Throws AppError(conflict), naming table and key, for a row
 * that the target's rules refuse where that was not decided; AppError(unavailable) when the source is lost or the disk is full.
 */
export async function copyTables({
  source,
  tables,
  choices,
  file,
  signal,
  onProgress,
}: CopyOptions): Promise<CopiedTable[]> {
  const loader = startLoader({ file, choices });
  try {
    const ends: Promise<CopiedTable>[] = [];
    for (const table of tables) {
      // The source goes on with the next table while the thread is still busy with this one: what fails there is told by the end.
      loader.request({ kind: "table", table }).catch(() => {});
      await streamTable(source, table, loader, signal, (rows) =>
        onProgress?.({ table: table.target, rows }),
      );
      const end = loader.request({ kind: "end" }).then(({ rows, aside = 0 }) => {
        onProgress?.({ table: table.target, rows });
        return { target: table.target, rows, aside };
      });
      end.catch(() => {});
      ends.push(end);
    }
    const copied = await Promise.all(ends);
    await loader.request({ kind: "orphans", tables });
    await loader.request({ kind: "close" });
    return copied;
  } finally {
    await loader.terminate();
  }
}

interface LoadResult {
  readonly rows: number;
  readonly aside?: number;
}

/** A fault in the loading thread. */
class LoaderError extends Error {}

interface Loader {
  /** Resolves with the thread's answer to this request, after those to all before it. */
  request(request: LoadRequest): Promise<LoadResult>;
  /** Memory that the thread has read what it held of, or never had; waits for it. It is given back by a request of kind `chunk`. */
  acquireBuffer(): Promise<{ slot: number; bytes: Buffer }>;
  terminate(): Promise<void>;
}

function startLoader({ file, choices }: Omit<LoadOptions, "slots">): Loader {
  const slots = Array.from({ length: BUFFER_COUNT }, () => new SharedArrayBuffer(CHUNK_BYTES));
  const buffers = slots.map((slot) => Buffer.from(slot));
  const worker = new Worker(new URL("./load-rows.worker.ts", import.meta.url), {
    workerData: { file, choices, slots } satisfies LoadOptions,
    resourceLimits: { maxYoungGenerationSizeMb: 16 },
  });
  const waiting: { resolve(reply: LoadResult): void; reject(error: unknown): void }[] = [];
  /** Of each slot: when the thread is done with it. */
  const free: Promise<unknown>[] = slots.map(() => Promise.resolve());
  let next = 0;
  let broken: unknown;
  const fail = (error: unknown) => {
    broken ??= error;
    for (const { reject } of waiting.splice(0)) reject(broken);
  };
  worker.on("message", (reply: LoadReply) => {
    if (reply.kind !== "failed") return waiting.shift()?.resolve(reply);
    if (!reply.isTelling) return fail(new LoaderError(reply.message));
    return fail(
      /disk is full|SQLITE_FULL/i.test(reply.message)
        ? new AppError("unavailable", "The disk is full. Make room, then resume.")
        : new AppError("conflict", reply.message),
    );
  });
  worker.on("error", (error) => fail(new LoaderError(error.message, { cause: error })));
  worker.on("exit", () => fail(new LoaderError("the loading thread ended")));
  const ask = (request: LoadRequest): Promise<LoadResult> => {
    if (broken) return Promise.reject(broken);
    const answer = new Promise<LoadResult>((resolve, reject) => {
      waiting.push({ resolve, reject });
      worker.postMessage(request);
    });
    if (request.kind === "chunk") free[request.slot] = answer;
    return answer;
  };
  return {
    request: ask,
    async acquireBuffer() {
      const slot = next;
      next = (next + 1) % BUFFER_COUNT;
      // They are read in turn.
      await free[slot];
      return { slot, bytes: buffers[slot]! };
    },
    async terminate() {
      broken ??= new LoaderError("the loading thread was ended");
      await worker.terminate();
    },
  };
}

async function streamTable(
  source: pg.Client,
  table: TableMapping,
  loader: Loader,
  signal: AbortSignal | undefined,
  onRows: (rows: number) => void,
): Promise<void> {
  const stream = source.query(copyTo(copyToSql(table)));
  const stop = (error: Error) => stream.destroy(error);
  const onAbort = () => stop(new AppError("unavailable", "The copy was stopped."));
  signal?.addEventListener("abort", onAbort);
  let timer = setTimeout(() => {}, 0);
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(
      () =>
        stop(
          new AppError(
            "unavailable",
            `PostgreSQL has sent nothing for ${SILENCE_TIMEOUT_MS / 1000} seconds.`,
          ),
        ),
      SILENCE_TIMEOUT_MS,
    );
  };
  // A connection that breaks is not always told to the stream of a COPY.
  const onEnd = () => stop(new AppError("unavailable", "The connection to PostgreSQL broke."));
  source.once("end", onEnd);
  let chunk: Awaited<ReturnType<Loader["acquireBuffer"]>> | null = null;
  let filled = 0;
  const flush = () => {
    if (chunk === null || filled === 0) return;
    loader.request({ kind: "chunk", slot: chunk.slot, length: filled }).then(
      ({ rows }) => onRows(rows),
      () => {},
    );
    chunk = null;
    filled = 0;
  };
  try {
    alive();
    for await (const piece of stream as AsyncIterable<Buffer>) {
      alive();
      for (let from = 0; from < piece.length;) {
        chunk ??= await loader.acquireBuffer();
        const size = Math.min(piece.length - from, CHUNK_BYTES - filled);
        piece.copy(chunk.bytes, filled, from, from + size);
        filled += size;
        from += size;
        if (filled === CHUNK_BYTES) flush();
      }
    }
    flush();
  } catch (error) {
    throw isLoaderError(error) ? error : toSourceError(error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    source.off("end", onEnd);
  }
}

/** An error of the loading thread, which has nothing to do with the source. */
function isLoaderError(error: unknown): boolean {
  return error instanceof AppError || error instanceof LoaderError;
}
