// Relays a TCP connection to a peer and cuts it when the peer is silent. LiteFS reads from its peers
// without a deadline, so a frozen primary would block its replicas until it thaws.

import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";

/** A running LiteFS sends its HTTP/2 settings as soon as it accepts a connection. */
const FIRST_BYTE_TIMEOUT_MS = 2_000;
/** LiteFS sends a heartbeat every second while it has no transactions to send. */
const IDLE_TIMEOUT_MS = 5_000;

export interface RelayTimeouts {
  readonly firstByteMs: number;
  readonly idleMs: number;
}

export interface PeerRelay {
  /** URL of the relay on this machine. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Listens on loopback and relays to the host and port of `target`, an http: URL. Both sides are
 * reset if `target` sends nothing for the given time.
 */
export async function startPeerRelay(
  target: string,
  timeouts: RelayTimeouts = { firstByteMs: FIRST_BYTE_TIMEOUT_MS, idleMs: IDLE_TIMEOUT_MS },
): Promise<PeerRelay> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (local) => {
    const peer = connect({
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port || 80),
      noDelay: true,
    });
    relay(local, peer, timeouts);
    open.add(local);
    local.once("close", () => open.delete(local));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const local of open) local.destroy();
      await closed;
    },
  };
}

function relay(local: Socket, peer: Socket, { firstByteMs, idleMs }: RelayTimeouts): void {
  const cut = () => {
    clearTimeout(timer);
    local.resetAndDestroy();
    peer.destroy();
  };
  // While the local side reads slowly, the peer may be waiting for it.
  const cutIfSilent = () => {
    if (!local.writableNeedDrain) return cut();
    timer = setTimeout(cutIfSilent, idleMs);
  };
  let timer = setTimeout(cutIfSilent, firstByteMs);
  peer.on("data", () => {
    clearTimeout(timer);
    timer = setTimeout(cutIfSilent, idleMs);
  });
  for (const side of [local, peer]) side.on("error", cut);
  local.once("close", cut);
  // What the peer sent before it closed still arrives.
  peer.once("close", () => {
    clearTimeout(timer);
    local.destroySoon();
  });
  local.pipe(peer);
  peer.pipe(local);
}
