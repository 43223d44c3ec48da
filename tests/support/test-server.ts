// Starts HTTP, TCP and DNS servers on 127.0.0.x that misbehave as tests require.

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
  /** Returns the number of open connections. */
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

export function serveHttp(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  host = "127.0.0.1",
): Promise<TestServer> {
  return listen(createServer(handler), host);
}

export function serveTcp(
  handler: (socket: Socket) => void,
  host = "127.0.0.1",
): Promise<TestServer> {
  return listen(
    createTcpServer((socket) => {
      socket.resume(); // otherwise the client's FIN would go unnoticed
      handler(socket);
    }),
    host,
  );
}

/**
 * Starts a DNS server. `answer` gets the name and the number of the A query (from 1), and returns
 * an IPv4 address, null for NXDOMAIN, or undefined for no response.
 */
export async function serveDns(
  answer: (name: string, queryNumber: number) => string | null | undefined,
): Promise<{ address: string; close(): Promise<void> }> {
  const socket = createSocket("udp4");
  let queryCount = 0;
  socket.on("message", (question, from) => {
    const labels: string[] = [];
    let offset = 12;
    for (let length = question[offset]!; length > 0; length = question[offset]!) {
      labels.push(question.toString("latin1", offset + 1, offset + 1 + length));
      offset += 1 + length;
    }
    const isA = question.readUInt16BE(offset + 1) === 1;
    const address = answer(labels.join("."), isA ? ++queryCount : queryCount);
    if (address === undefined) return;
    const end = offset + 5;
    const header = Buffer.alloc(12);
    question.copy(header, 0, 0, 2);
    header.writeUInt16BE(address === null ? 0x8183 : 0x8180, 2);
    header.writeUInt16BE(1, 4);
    const hasAnswer = isA && address !== null;
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
