// Serves the site: Next's request handler behind the HTTP pipeline. In development, it compiles
// pages on demand.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import next from "next";
import type { PageScript } from "#lib/http/page-script.ts";
import { connectToLauncher } from "#server/launcher-channel.ts";

const rootDir = join(import.meta.dirname, "..");
const { values } = parseArgs({
  options: {
    port: { type: "string", short: "p", default: "3000" },
    /** The address to listen on. Default: all addresses; in development, only this machine. */
    hostname: { type: "string", short: "H" },
  },
});
const port = Number(values.port);
const dev = process.env.NODE_ENV === "development";
const hostname = values.hostname ?? (dev ? "127.0.0.1" : undefined);

// SSRF protection: actions that redirect fetch the next page from this origin. Without it, Next
// would trust the Host header.
process.env.__NEXT_PRIVATE_ORIGIN = `http://${localHost(hostname)}:${port}`;
process.env.PORT = String(port);
// Use the build's configuration, like Next's standalone server, so that next.config.mjs is not
// needed at runtime.
if (!dev)
  process.env.__NEXT_PRIVATE_STANDALONE_CONFIG = JSON.stringify(
    (
      JSON.parse(readFileSync(join(rootDir, ".next", "required-server-files.json"), "utf8")) as {
        config: unknown;
      }
    ).config,
  );

const markListening = connectToLauncher();
const app = next({ dev, dir: rootDir, hostname, port });
await app.prepare();
// Imported here, after Next has read the .env files.
const { checkSiteConfig } = await import("#lib/core/site-config.ts");
try {
  checkSiteConfig();
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
const { createPipelineServer } = await import("#lib/http/pipeline.ts");
const { providePageScript } = await import("#lib/http/page-script.ts");
const { setRenderOrigin } = await import("#lib/http/render-page.ts");
const { singleton } = await import("#lib/core/singleton.ts");
const { renderToStaticMarkup } = await import("react-dom/server");
const { findTelemetry } = await import("#lib/core/telemetry.ts");
const { drainServer } = await import("#lib/http/drain-keepalive.ts");
const { logConsole } = await import("#lib/core/log-console.ts");

// components/ui/static-renderer.ts finds it by this name.
singleton("static-renderer", () => renderToStaticMarkup);
const handleRequest = app.getRequestHandler();
const server = createPipelineServer((request, response) => {
  handleRequest(request, response).catch((error: unknown) => {
    console.error(error);
    response.statusCode = 500;
    response.end("Internal Server Error");
  });
});
server.once("error", (error) => {
  console.error(error);
  process.exit(1);
});
server.listen(port, hostname, () => {
  if (!dev) {
    const pageScript = join(rootDir, ".next", "page-script.json");
    if (existsSync(pageScript))
      providePageScript(JSON.parse(readFileSync(pageScript, "utf8")) as PageScript);
    setRenderOrigin(`http://${localHost(hostname)}:${port}`);
    // Only now: startup errors are plain text, because a person reads them.
    logConsole();
  }
  markListening();
});

let isStopping = false;
async function stop(exitCode: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  const drained = drainServer(server);
  if (dev) server.closeAllConnections();
  await drained;
  await findTelemetry()?.flush();
  await app.close();
  process.exit(exitCode);
}
process.on("SIGINT", () => void stop(130));
process.on("SIGTERM", () => void stop(143));

/** Returns the host at which this machine reaches a server that listens on `host`. */
function localHost(host = "0.0.0.0"): string {
  if (host === "0.0.0.0") return "localhost";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
