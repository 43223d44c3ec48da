// Loaded into the server's process by the browser tests (node --import): sets its clock and tells its memory over a second, local port.
// Nothing of this is part of the site.

import { createServer } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { setClock } from "../../../lib/core/clock.ts";
import { PORT } from "./site-under-test.ts";

// Only the site: boot and launcher of an image get the same flags, and hand them on.
if (
  process.env.CONTROL_PORT &&
  !/\/server\/(supervisor|launcher)\/main\.ts$/.test(process.argv[1] ?? "")
) {
  createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://control");
    if (url.pathname === "/clock") {
      setClock(Date.now() + Number(url.searchParams.get("offsetMs") ?? 0));
      response.end("ok");
      return;
    }
    if (url.pathname === "/memory") {
      // Collected first: what is left is held.
      setFlagsFromString("--expose-gc");
      (runInNewContext("gc") as () => void)();
      const { heapUsed, rss } = process.memoryUsage();
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ heap: heapUsed, rss }));
      return;
    }
    // Ready when the site itself answers: then its posts have their first compile behind them.
    fetch(`http://127.0.0.1:${PORT}/blog`, { signal: AbortSignal.timeout(30_000) }).then(
      ({ ok }) => response.writeHead(ok ? 200 : 503).end(),
      () => response.writeHead(503).end(),
    );
  })
    .on("error", () => {})
    // Each node of a cluster has an address of its own, and the same ports.
    .listen(Number(process.env.CONTROL_PORT), process.env.CONTROL_HOST ?? "127.0.0.1")
    .unref();
}
