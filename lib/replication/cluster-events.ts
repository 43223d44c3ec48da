// The cluster as a stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

import type { ClusterView } from "./node-view.ts";
import { MINUTE_MS, SECOND_MS } from "#lib/core/clock.ts";
import { watchCluster } from "./watch-cluster.ts";

/** Proxies end a connection on which nothing comes for a minute. */
const KEEPALIVE_INTERVAL_MS = 15 * SECOND_MS;
/** The browser asks again by itself, and everything about it is looked at anew. */
const MAX_STREAM_MS = 10 * MINUTE_MS;
const RETRY_MS = 2_000;

/** What has changed for somebody who looks: not the moment at which it was seen. */
const fingerprintNodes = ({ nodes }: ClusterView) => JSON.stringify(nodes);

/**
 * Events with a ClusterView as JSON, the first at once, then whenever something changed; comments in between. It ends when
 * `isAllowed` is false or fails, when `signal` aborts, when the reader cancels, and after ten minutes. null when too many listen.
 * `isAllowed` is asked before each event and each comment.
 */
export function streamClusterEvents({
  isAllowed,
  signal,
  beatMs = KEEPALIVE_INTERVAL_MS,
  maxMs = MAX_STREAM_MS,
}: {
  isAllowed: () => Promise<boolean>;
  signal: AbortSignal;
  beatMs?: number;
  maxMs?: number;
}): ReadableStream<Uint8Array> | null {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let isOver = false;
  let isAsking = false;
  let shape = "";

  const end = () => {
    if (isOver) return;
    isOver = true;
    stop?.();
    clearInterval(beat);
    clearTimeout(most);
    signal.removeEventListener("abort", end);
    try {
      controller.close();
    } catch {
      // The reader has gone.
    }
  };
  const send = async (text: string) => {
    // Whoever does not read gets what is current when they do.
    if (isOver || isAsking || (controller.desiredSize ?? 0) <= 0) return false;
    isAsking = true;
    const may = await isAllowed().catch(() => false);
    isAsking = false;
    if (!may) end();
    if (isOver) return false;
    controller.enqueue(encoder.encode(text));
    return true;
  };

  const stop = watchCluster({
    onView(view) {
      const next = fingerprintNodes(view);
      if (next === shape) return;
      void send(`data: ${JSON.stringify(view)}\n\n`).then((isSent) => {
        if (isSent) shape = next;
      });
    },
    onShutdown: end,
  });
  if (!stop) return null;
  const beat = setInterval(() => void send(":\n\n"), beatMs);
  const most = setTimeout(end, maxMs);
  beat.unref();
  most.unref();
  const stream = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
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
