// Servers on 127.0.0.x that misbehave as tests need it, and that know their open connections. For tests.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from "node:net";

export interface TestServer {
  /** "http://127.0.0.1:12345" */
  readonly origin: string;
  /** "127.0.0.1:12345" */
  readonly hostAndPort: string;
  /** Connections that are open now. */
  countConnections(): number;
  close(): Promise<void>;
}

async function listen(server: Server, host: string): Promise<TestServer> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://${host}:${port}`,
    hostAndPort: `${host}:${port}`,
    countConnections: () => sockets.size,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** An HTTP server. */
export function serveHttp(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  host = "127.0.0.1",
): Promise<TestServer> {
  return listen(createServer(handler), host);
}

/** A server that does with each connection what `handler` does. */
export function serveTcp(
  handler: (socket: Socket) => void,
  host = "127.0.0.1",
): Promise<TestServer> {
  return listen(
    createTcpServer((socket) => {
      socket.resume(); // or it would not hear that the other side is gone
      handler(socket);
    }),
    host,
  );
}

/** A name server: `answer(name, asked)` gives the IPv4 address of the asked-th question (from 1), null for no such name, undefined for silence. */
export async function serveDns(
  answer: (name: string, asked: number) => string | null | undefined,
): Promise<{ address: string; close(): Promise<void> }> {
  const socket = createSocket("udp4");
  let asked = 0;
  socket.on("message", (question, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = question[at]!; length > 0; length = question[at]!) {
      labels.push(question.toString("latin1", at + 1, at + 1 + length));
      at += 1 + length;
    }
    const isV4 = question.readUInt16BE(at + 1) === 1;
    const address = answer(labels.join("."), isV4 ? ++asked : asked);
    if (address === undefined) return;
    const end = at + 5;
    const header = Buffer.alloc(12);
    question.copy(header, 0, 0, 2);
    header.writeUInt16BE(address === null ? 0x8183 : 0x8180, 2);
    header.writeUInt16BE(1, 4);
    const hasAnswer = isV4 && address !== null;
    header.writeUInt16BE(hasAnswer ? 1 : 0, 6);
    const record = hasAnswer
      ? Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split(".").map(Number)])
      : Buffer.alloc(0);
    socket.send(
      Buffer.concat([header, question.subarray(12, end), record]),
      from.port,
      from.address,
    );
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    address: `127.0.0.1:${socket.address().port}`,
    async close() {
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}
