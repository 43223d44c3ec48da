import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type TestServer, serveTcp } from "#tests/support/test-server.ts";
import { type PeerRelay, startPeerRelay } from "./peer-relay.ts";

const TIMEOUTS = { firstByteMs: 100, idleMs: 100 };
/** For peers that must not be cut off: a busy machine may run nothing for two seconds. */
const PATIENT_MS = 3_000;
const PATIENT = { firstByteMs: PATIENT_MS, idleMs: PATIENT_MS };
let peer: TestServer | undefined;
let relay: PeerRelay | undefined;
afterEach(async () => {
  await relay?.close();
  await peer?.close();
  relay = peer = undefined;
});

/** Connects through a relay to a peer that runs `serve` on each connection. */
async function connectTo(serve: (socket: Socket) => void, timeouts = TIMEOUTS): Promise<Socket> {
  peer = await serveTcp(serve);
  relay = await startPeerRelay(peer.origin, timeouts);
  const local = connect(Number(new URL(relay.url).port), "127.0.0.1");
  await once(local, "connect");
  return local;
}
/** Resolves to the error that ends the connection; null if it ends without one. */
const endOf = (socket: Socket) =>
  new Promise<string | null>((resolve) => {
    let code: string | null = null;
    socket.on("error", (error: NodeJS.ErrnoException) => (code = error.code ?? ""));
    socket.once("close", () => resolve(code));
  });

test("bytes pass in both directions", async () => {
  const local = await connectTo(
    (socket) => socket.on("data", (data) => socket.write(data)),
    PATIENT,
  );
  local.write("position");
  expect(String((await once(local, "data"))[0])).toBe("position");
  local.destroy();
});

test("a peer that accepts a connection but says nothing is cut off", async () => {
  const local = await connectTo(() => undefined);
  expect(await endOf(local)).toBe("ECONNRESET");
});

test("a peer that falls silent is cut off", async () => {
  const local = await connectTo((socket) => socket.write("settings"));
  local.resume();
  expect(await endOf(local)).toBe("ECONNRESET");
});

test("a peer with heartbeats stays connected, even while this side sends nothing", async () => {
  const local = await connectTo((socket) => {
    const timer = setInterval(() => socket.write("beat"), 100);
    socket.once("close", () => clearInterval(timer));
  }, PATIENT);
  const startedMs = performance.now();
  while (performance.now() - startedMs < 1.1 * PATIENT_MS) await once(local, "data");
  expect(local.destroyed).toBe(false);
  local.destroy();
});

test("a peer that waits for a slow reader is not cut off", async () => {
  const size = 16 * 1024 * 1024;
  const local = await connectTo((socket) => socket.end(Buffer.alloc(size)), PATIENT);
  // Longer than both timeouts without reading a byte.
  await new Promise((resolve) => setTimeout(resolve, 1.1 * PATIENT_MS));
  let received = 0;
  local.on("data", (data: Buffer) => (received += data.length));
  await once(local, "end");
  expect(received).toBe(size);
});

test("a peer that is gone ends the connection", async () => {
  const local = await connectTo((socket) => socket.resetAndDestroy());
  expect(await endOf(local)).toBe("ECONNRESET");
});
