// Streams the cluster's state as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

import type { ClusterView } from "./node-view.ts";
import { MINUTE_MS, SECOND_MS } from "#lib/core/clock.ts";
import { watchCluster } from "./watch-cluster.ts";

/** Proxies close a connection that is idle for a minute. */
const KEEPALIVE_INTERVAL_MS = 15 * SECOND_MS;
/** The browser reconnects by itself, and access is checked again. */
const MAX_STREAM_MS = 10 * MINUTE_MS;
const RETRY_MS = 2_000;

/** Differs if the view has changed, apart from its time. */
const fingerprintNodes = ({ nodes }: ClusterView) => JSON.stringify(nodes);

/**
 * Streams a ClusterView as JSON immediately and on each change, with keep-alive comments in between. null beyond 20 listeners.
 * Ends when `isAllowed`, called before each event, is false or throws, on abort, on cancel, and after ten minutes.
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
      // Already cancelled.
    }
  };
  const send = async (text: string) => {
    // A slow reader skips events and gets the current state later.
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
