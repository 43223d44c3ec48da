// Proxies TCP connections to a target with latency, over a link that can be cut.

import { type Socket, connect, createServer } from "node:net";
import { once } from "node:events";
import { Pipe, type PipeState } from "./pipe.ts";

export interface SocketAddress {
  address: string;
  port: number;
}

/** "silent": bytes stop, but connections stay open. "reset": existing and new connections break. */
export type LinkState = "open" | "silent" | "reset";

export interface LatencyProxyOptions<Source> {
  listen: SocketAddress;
  target: SocketAddress;
  /**
   * Identifies the client, once per connection. If null, the connection has no latency and is never
   * cut.
   */
  findSource: (socket: Socket) => Source | null;
  delayMs: (source: Source) => number;
  linkState: (source: Source) => LinkState;
}

export interface LatencyProxy {
  /** Applies a changed link state to all connections. */
  applyLinkState(): void;
  countConnections(): number;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** Listens until closed. Throws EADDRINUSE if the address is taken. */
export async function startLatencyProxy<Source>({
  listen,
  target,
  findSource,
  delayMs,
  linkState,
}: LatencyProxyOptions<Source>): Promise<LatencyProxy> {
  const open = new Set<{ changed(): void; end(): void }>();

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const source = findSource(socket);
    const currentState = () => (source === null ? "open" : linkState(source));
    const state = (): PipeState => ({
      delayMs: source === null ? 0 : delayMs(source),
      isOpen: currentState() === "open",
    });
    const [outbound, inbound] = [new Pipe(state), new Pipe(state)];
    let upstream: Socket | undefined;

    const end = () => {
      open.delete(connection);
      for (const side of [socket, upstream]) side?.resetAndDestroy();
      outbound.destroy();
      inbound.destroy();
    };
    const closeBoth = () => {
      if (socket.closed && upstream?.closed) open.delete(connection);
    };
    const dial = () => {
      // Over a cut link, a connection is not refused but waits, like TCP retransmitting its SYN.
      if (upstream || currentState() !== "open") return;
      upstream = connect({
        host: target.address,
        port: target.port,
        allowHalfOpen: true,
        noDelay: true,
        timeout: CONNECT_TIMEOUT_MS,
      });
      upstream.once("connect", () => upstream?.setTimeout(0));
      upstream.once("timeout", end).on("error", end).once("close", closeBoth);
      socket.pipe(outbound).pipe(upstream);
      upstream.pipe(inbound).pipe(socket);
    };
    const connection = {
      changed() {
        if (currentState() === "reset") return end();
        dial();
        outbound.applyState();
        inbound.applyState();
      },
      end,
    };
    open.add(connection);
    socket.on("error", end).once("close", closeBoth);
    outbound.on("error", end);
    inbound.on("error", end);
    connection.changed();
  });

  server.listen(listen.port, listen.address);
  await once(server, "listening");
  return {
    applyLinkState() {
      for (const connection of open) connection.changed();
    },
    countConnections: () => open.size,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const connection of open) connection.end();
      await closed;
    },
  };
}
