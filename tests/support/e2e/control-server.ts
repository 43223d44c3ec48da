// Runs a control server on a local port in the site's process (--import). It sets the site's clock
// and reports its memory. It is not part of the site.

import { createServer } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { setClock } from "../../../lib/core/clock.ts";
import { PORT } from "./site-under-test.ts";

// Runs only in the site's process, because the supervisor and the launcher pass their flags on.
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
      setFlagsFromString("--expose-gc");
      (runInNewContext("gc") as () => void)();
      const { heapUsed, external, rss } = process.memoryUsage();
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ heap: heapUsed, external, rss }));
      return;
    }
    // Ready once the site responds: its posts are compiled by then.
    fetch(`http://127.0.0.1:${PORT}/blog`, { signal: AbortSignal.timeout(30_000) }).then(
      ({ ok }) => response.writeHead(ok ? 200 : 503).end(),
      () => response.writeHead(503).end(),
    );
  })
    .on("error", () => {})
    // All nodes of a cluster use this port, each on its own address.
    .listen(Number(process.env.CONTROL_PORT), process.env.CONTROL_HOST ?? "127.0.0.1")
    .unref();
}
