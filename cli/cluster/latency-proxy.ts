// A TCP address that stands for another one: who connects here reaches the target over wires that delay and can be cut.

import { type Socket, connect, createServer } from "node:net";
import { once } from "node:events";
import { Pipe, type PipeState } from "./pipe.ts";

export interface SocketAddress {
  address: string;
  port: number;
}

/** How two places are joined: open, silent (bytes stop, connections stay) or reset (connections break, new ones too). */
export type LinkState = "open" | "silent" | "reset";

export interface LatencyProxyOptions<Source> {
  listen: SocketAddress;
  target: SocketAddress;
  /** Who connected: asked once for each connection. Null: nobody that we know, always near and never cut. */
  findSource: (socket: Socket) => Source | null;
  delayMs: (source: Source) => number;
  linkState: (source: Source) => LinkState;
}

export interface LatencyProxy {
  /** Call after a joint changed. */
  applyLinkState(): void;
  countConnections(): number;
  close(): Promise<void>;
}

/** How long a target may take to accept; longer than any simulated way. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Listens until closed. Throws what the system says if the address is taken. */
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
    const jointNow = () => (source === null ? "open" : linkState(source));
    const state = (): PipeState => ({
      delayMs: source === null ? 0 : delayMs(source),
      isOpen: jointNow() === "open",
    });
    const [there, back] = [new Pipe(state), new Pipe(state)];
    let far: Socket | undefined;

    const end = () => {
      open.delete(connection);
      for (const side of [socket, far]) side?.resetAndDestroy();
      there.destroy();
      back.destroy();
    };
    const closeBoth = () => {
      if (socket.closed && far?.closed) open.delete(connection);
    };
    const dial = () => {
      // A connection over a cut way is not refused: it waits, as its first packet is sent again and again.
      if (far || jointNow() !== "open") return;
      far = connect({
        host: target.address,
        port: target.port,
        allowHalfOpen: true,
        noDelay: true,
        timeout: CONNECT_TIMEOUT_MS,
      });
      far.once("connect", () => far?.setTimeout(0));
      far.once("timeout", end).on("error", end).once("close", closeBoth);
      socket.pipe(there).pipe(far);
      far.pipe(back).pipe(socket);
    };
    const connection = {
      changed() {
        if (jointNow() === "reset") return end();
        dial();
        there.applyState();
        back.applyState();
      },
      end,
    };
    open.add(connection);
    socket.on("error", end).once("close", closeBoth);
    there.on("error", end);
    back.on("error", end);
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
