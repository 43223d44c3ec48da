// Finds a free port.

import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

// Below Linux's ip_local_port_range (from 32768): an outgoing connection could take such a port
// first, or connect to itself when it retries a port without a listener.
const [FROM, TO] = [20_000, 32_000];

/** Returns a free port of 127.0.0.1. Another program may take it before the caller does. */
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
