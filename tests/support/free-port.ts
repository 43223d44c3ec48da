// A port that nobody listens on just now.

import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

// Below what Linux gives to connections that go out (ip_local_port_range, from 32768): one of those could take the port before the caller does, and who
// connects to a port of that range again and again while nobody listens may be given the same port, and so reach itself.
const [FROM, TO] = [20_000, 32_000];

/** A free port of 127.0.0.1. Another program may take it before the caller does. */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FROM, TO);
    const server = createServer().listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") continue;
      throw error;
    }
    server.close();
    await once(server, "close");
    return port;
  }
}
