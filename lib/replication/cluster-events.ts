// Streams the cluster's state as server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).

import type { ClusterView } from "./node-view.ts";
import { MINUTE_MS, SECOND_MS } from "#lib/core/clock.ts";
import { watchCluster } from "./watch-cluster.ts";

/** Proxies close connections that are idle for a minute. */
const KEEPALIVE_INTERVAL_MS = 15 * SECOND_MS;
/** The browser then reconnects, and access is checked again. */
const MAX_STREAM_MS = 10 * MINUTE_MS;
const RETRY_MS = 2_000;

/** Returns a string that changes with the view, ignoring its timestamp. */
const fingerprintNodes = ({ nodes }: ClusterView) => JSON.stringify(nodes);

/**
 * Returns a stream of ClusterView JSON: one event immediately and one on each change, with
 * keep-alive comments in between; null if watchCluster() has no free slot. Ends on abort, on
 * cancel, after `maxMs` (default ten minutes), or when `isAllowed`, called before each event,
 * returns false or throws.
 */
export function streamClusterEvents({
  isAllowed,
  signal,
  keepAliveMs = KEEPALIVE_INTERVAL_MS,
  maxMs = MAX_STREAM_MS,
}: {
  isAllowed: () => Promise<boolean>;
  signal: AbortSignal;
  keepAliveMs?: number;
  maxMs?: number;
}): ReadableStream<Uint8Array> | null {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let isOver = false;
  let isAuthorizing = false;
  let sentFingerprint = "";

  const end = () => {
    if (isOver) return;
    isOver = true;
    stop?.();
    clearInterval(keepAlive);
    clearTimeout(deadline);
    signal.removeEventListener("abort", end);
    try {
      controller.close();
    } catch {
      // Already canceled.
    }
  };
  const send = async (text: string) => {
    // Backpressure: a slow reader skips events and gets the current state later.
    if (isOver || isAuthorizing || (controller.desiredSize ?? 0) <= 0) return false;
    isAuthorizing = true;
    const isStillAllowed = await isAllowed().catch(() => false);
    isAuthorizing = false;
    if (!isStillAllowed) end();
    if (isOver) return false;
    controller.enqueue(encoder.encode(text));
    return true;
  };

  const stop = watchCluster({
    onView(view) {
      const fingerprint = fingerprintNodes(view);
      if (fingerprint === sentFingerprint) return;
      void send(`data: ${JSON.stringify(view)}\n\n`).then((isSent) => {
        if (isSent) sentFingerprint = fingerprint;
      });
    },
    onShutdown: end,
  });
  if (!stop) return null;
  const keepAlive = setInterval(() => void send(":\n\n"), keepAliveMs);
  const deadline = setTimeout(end, maxMs);
  keepAlive.unref();
  deadline.unref();
  const stream = new ReadableStream<Uint8Array>(
    {
      start(streamController) {
        controller = streamController;
        controller.enqueue(encoder.encode(`retry: ${RETRY_MS}\n\n`));
      },
      cancel: end,
    },
    { highWaterMark: 8 },
  );
  if (signal.aborted) end();
  else signal.addEventListener("abort", end, { once: true });
  return stream;
}
