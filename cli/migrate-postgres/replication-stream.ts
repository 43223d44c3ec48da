// A connection that receives a slot's changes, and tells the source how far they are kept.

import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { LogicalReplicationService, PgoutputPlugin } from "pg-logical-replication";
import { AppError } from "#lib/core/errors.ts";
import { formatLsn, parseLsn } from "./pgoutput.ts";
import { toSourceError, applySessionSettings, createClientConfig } from "./source-connection.ts";

/** How often the source is told, and asked where it is: its own limit is a minute, where nobody changed it. */
const STATUS_INTERVAL_MS = 1_000;
const URGENT_STATUS_INTERVAL_MS = 20;
/** A source that has sent nothing for so long, though it was asked every second, is gone. */
const SILENCE_TIMEOUT_MS = 30_000;
const START_TIMEOUT_MS = 20_000;
const CLOSE_TIMEOUT_MS = 3_000;

export interface ReplicationStreamOptions {
  readonly url: string;
  readonly slot: string;
  readonly publication: string;
  readonly startPosition: bigint;
  /** Whether somebody waits for where the source is. */
  readonly isUrgent: boolean;
  /** One message, in order. While it works nothing more is read: that holds the source back. What it throws ends the stream. */
  readonly onMessage: (bytes: Buffer) => void;
  /** All that the log holds before `end` was sent. */
  readonly onReceived: (end: bigint) => void;
  /** Where the source may forget up to. */
  readonly readAppliedPosition: () => bigint;
}

export interface ReplicationStream {
  /** Resolves after end(); rejects, with an AppError where the source is lost. */
  readonly ended: Promise<void>;
  end(): void;
  /** Ends it with an error. */
  fail(error: unknown): void;
  /** Tells the source what is applied. */
  confirmPosition(): Promise<void>;
  close(): Promise<void>;
}

/** Hands messages on as they came, and gives the session its fixed text forms before they begin. */
class RawPlugin extends PgoutputPlugin {
  override parse(bytes: Buffer): never {
    return bytes as never;
  }

  override async start(client: pg.Client, slot: string, from: string): Promise<unknown> {
    await applySessionSettings(client);
    return super.start(client as never, slot, from);
  }
}

/** An error of the stream. A slot that the server gave up (max_slot_wal_keep_size) has no more of what is missing here. */
function toStreamError(error: unknown): AppError {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (code === "55000" && /slot/.test(String(message)))
    return new AppError(
      "conflict",
      "The source has given up the slot, and with it changes that were not taken over: more was written than it keeps (max_slot_wal_keep_size). Abort, and copy again.",
    );
  if (code === "42704")
    return new AppError(
      "conflict",
      "The slot or the publication is gone from the source, and with it what was not taken over. Abort, and copy again.",
    );
  return toSourceError(error);
}

/** Begins to receive. Throws AppError(unavailable) where the source is away or the slot still in use, AppError(conflict) where the slot is gone. */
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
  // Its own acknowledgements would confirm what has come, not what is kept.
  const service = new LogicalReplicationService(createClientConfig(url), {
    acknowledge: { auto: false, timeoutSeconds: 0 },
  });
  const plugin = new RawPlugin({ protoVersion: 1, publicationNames: [publication] });
  let heardMs = performance.now();
  let settleEnd = { resolve: () => {}, reject: (_: unknown) => {} };
  const ended = new Promise<void>((resolve, reject) => (settleEnd = { resolve, reject }));
  ended.catch(() => {});
  let isOver = false;
  const fail = (error: unknown) => {
    isOver = true;
    settleEnd.reject(error);
  };

  // The library adds one to what it is given; a commit may stand at the very next byte, and would be passed over.
  const tell = (ask: boolean) =>
    service.acknowledge(formatLsn(readAppliedPosition() - 1n), ask).then(
      () => {},
      () => {},
    );
  // After something failed nothing more may be taken: it would be applied without what failed.
  const take = (work: () => void) => {
    heardMs = performance.now();
    if (isOver) return;
    try {
      work();
    } catch (error) {
      fail(error);
    }
  };
  service.on("data", (_, bytes: Buffer) => take(() => onMessage(bytes)));
  service.on("heartbeat", (end, _, shouldRespond) => {
    take(() => onReceived(parseLsn(end)));
    if (shouldRespond) void tell(false);
  });
  service.on("error", (error) => fail(toStreamError(error)));
  const timer = setInterval(
    () => {
      if (performance.now() - heardMs > SILENCE_TIMEOUT_MS)
        fail(
          new AppError(
            "unavailable",
            `PostgreSQL has sent nothing for ${SILENCE_TIMEOUT_MS / 1000} seconds.`,
          ),
        );
      else void tell(true);
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
      () => reject(new AppError("unavailable", "PostgreSQL did not begin to stream.")),
      START_TIMEOUT_MS,
    ).unref();
  });
  try {
    await started;
  } catch (error) {
    await close();
    throw error;
  }
  void tell(true);
  const end = () => {
    isOver = true;
    settleEnd.resolve();
  };
  return { ended, end, fail, confirmPosition: () => tell(false), close };
}
