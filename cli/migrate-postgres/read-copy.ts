// Reads a COPY TO STDOUT, and fails if the source is lost or silent.

import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import { AppError } from "#lib/core/errors.ts";
import { closeSource, createAbortedError, toSourceError } from "./source-connection.ts";

/** Sorting five million rows takes about ten seconds before the first byte. */
const SILENCE_TIMEOUT_MS = 600_000;

/**
 * Yields the bytes of the COPY statement `sql`. A consumer that stops early must close `source`.
 * Throws AppError(unavailable) on an abort, a lost connection or silence, and the errors of
 * toSourceError.
 */
export async function* readCopy(
  source: pg.Client,
  sql: string,
  { signal }: { signal?: AbortSignal } = {},
): AsyncGenerator<Buffer> {
  if (signal?.aborted) throw createAbortedError();
  const stream = source.query(copyTo(sql));
  const stopWith = (message: string) => () => stream.destroy(new AppError("unavailable", message));
  // pg does not always report a lost connection to the stream of a COPY.
  const onEnd = stopWith("The connection to PostgreSQL was lost.");
  const onSilence = stopWith(
    `PostgreSQL has sent nothing for ${SILENCE_TIMEOUT_MS / 1000} seconds.`,
  );
  const onAbort = () => stream.destroy(createAbortedError());
  source.once("end", onEnd);
  signal?.addEventListener("abort", onAbort);
  let silenceTimer: NodeJS.Timeout | undefined;
  try {
    silenceTimer = setTimeout(onSilence, SILENCE_TIMEOUT_MS);
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      // The timer must not run while the consumer works.
      clearTimeout(silenceTimer);
      yield chunk;
      silenceTimer = setTimeout(onSilence, SILENCE_TIMEOUT_MS);
    }
  } catch (error) {
    // The unfinished COPY would keep the connection busy.
    if (stream.destroyed) void closeSource(source);
    throw toSourceError(error);
  } finally {
    clearTimeout(silenceTimer);
    source.off("end", onEnd);
    signal?.removeEventListener("abort", onAbort);
  }
}
