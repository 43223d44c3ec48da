// Receives a slot's changes, and confirms to the source which ones are stored.

import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { LogicalReplicationService, PgoutputPlugin } from "pg-logical-replication";
import { AppError } from "#lib/core/errors.ts";
import { formatLsn, parseLsn } from "./pgoutput.ts";
import { toSourceError, applySessionSettings, createClientConfig } from "./source-connection.ts";

/** How often the position is confirmed and requested. The server's default timeout is a minute. */
const STATUS_INTERVAL_MS = 1_000;
const URGENT_STATUS_INTERVAL_MS = 20;
/** A source that sends nothing, not even a heartbeat, for this long is considered lost. */
const SILENCE_TIMEOUT_MS = 30_000;
const START_TIMEOUT_MS = 20_000;
const CLOSE_TIMEOUT_MS = 3_000;

export interface ReplicationStreamOptions {
  readonly url: string;
  readonly slot: string;
  readonly publication: string;
  readonly startPosition: bigint;
  /** Requests the source's position at short intervals. */
  readonly isUrgent: boolean;
  /**
   * Called synchronously per message, in order, which gives backpressure. An error ends the stream.
   */
  readonly onMessage: (bytes: Buffer) => void;
  /** Called when the source has sent everything before `lsn`. */
  readonly onReceived: (lsn: bigint) => void;
  /** Returns the LSN up to which the source may discard its WAL. */
  readonly readAppliedPosition: () => bigint;
}

export interface ReplicationStream {
  /** Resolves after end(); rejects after fail(), or with an AppError if the source is lost. */
  readonly ended: Promise<void>;
  end(): void;
  fail(error: unknown): void;
  /** Confirms the applied position. */
  confirmPosition(): Promise<void>;
  close(): Promise<void>;
}

/** Passes raw messages through, and applies the session settings before the stream starts. */
class RawPlugin extends PgoutputPlugin {
  override parse(bytes: Buffer): never {
    return bytes as never;
  }

  override async start(client: pg.Client, slot: string, from: string): Promise<unknown> {
    await applySessionSettings(client);
    return super.start(client as never, slot, from);
  }
}

/**
 * Converts an error of the stream. A slot that the server invalidated (max_slot_wal_keep_size) has
 * lost changes.
 */
function toStreamError(error: unknown): AppError {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (code === "55000" && /slot/.test(String(message)))
    return new AppError(
      "conflict",
      "The source invalidated the slot, and changes are lost: it retains less than was written (max_slot_wal_keep_size). Abort, then copy again.",
    );
  if (code === "42704")
    return new AppError(
      "conflict",
      "The slot or the publication is missing in the source, and changes are lost. Abort, then copy again.",
    );
  return toSourceError(error);
}

/**
 * Starts the stream. Throws AppError: unavailable if the source is down or the slot is in use,
 * conflict if the slot is missing.
 */
export async function openReplicationStream({
  url,
  slot,
  publication,
  startPosition,
  isUrgent,
  onMessage,
  onReceived,
  readAppliedPosition,
}: ReplicationStreamOptions): Promise<ReplicationStream> {
  // Automatic acknowledgments would confirm what is received, not what is stored.
  const service = new LogicalReplicationService(createClientConfig(url), {
    acknowledge: { auto: false, timeoutSeconds: 0 },
  });
  const plugin = new RawPlugin({ protoVersion: 1, publicationNames: [publication] });
  let lastHeardMs = performance.now();
  const { promise: ended, resolve: resolveEnd, reject: rejectEnd } = Promise.withResolvers<void>();
  ended.catch(() => {});
  let isOver = false;
  const fail = (error: unknown) => {
    isOver = true;
    rejectEnd(error);
  };

  // The library adds 1, which would skip a commit that starts exactly at the applied position.
  const sendStatus = (isReplyRequested: boolean) =>
    service.acknowledge(formatLsn(readAppliedPosition() - 1n), isReplyRequested).then(
      () => {},
      () => {},
    );
  // After an error, nothing more is applied, since the failed change would be missing.
  const handle = (work: () => void) => {
    lastHeardMs = performance.now();
    if (isOver) return;
    try {
      work();
    } catch (error) {
      fail(error);
    }
  };
  service.on("data", (_, bytes: Buffer) => handle(() => onMessage(bytes)));
  service.on("heartbeat", (lsn, _, shouldRespond) => {
    handle(() => onReceived(parseLsn(lsn)));
    if (shouldRespond) void sendStatus(false);
  });
  service.on("error", (error) => fail(toStreamError(error)));
  const timer = setInterval(
    () => {
      if (performance.now() - lastHeardMs > SILENCE_TIMEOUT_MS)
        fail(
          new AppError(
            "unavailable",
            `PostgreSQL has sent nothing for ${SILENCE_TIMEOUT_MS / 1000} seconds.`,
          ),
        );
      else void sendStatus(true);
    },
    isUrgent ? URGENT_STATUS_INTERVAL_MS : STATUS_INTERVAL_MS,
  );

  const close = async () => {
    clearInterval(timer);
    isOver = true;
    await Promise.race([
      service.stop().catch(() => {}),
      sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false }),
    ]);
  };
  const started = new Promise<void>((resolve, reject) => {
    service.on("start", () => resolve());
    service.subscribe(plugin, slot, formatLsn(startPosition)).then(
      () => fail(new AppError("unavailable", "PostgreSQL ended the stream.")),
      (error: unknown) => {
        reject(toStreamError(error));
        fail(toStreamError(error));
      },
    );
    setTimeout(
      () => reject(new AppError("unavailable", "PostgreSQL did not start the stream.")),
      START_TIMEOUT_MS,
    ).unref();
  });
  try {
    await started;
  } catch (error) {
    await close();
    throw error;
  }
  void sendStatus(true);
  const end = () => {
    isOver = true;
    resolveEnd();
  };
  return { ended, end, fail, confirmPosition: () => sendStatus(false), close };
}
