import { once } from "node:events";
import { spawn } from "node:child_process";
import { Agent, get } from "node:http";
import { expect, test } from "vitest";

// In a child process, because the test makes it exit.
const SITE = `
  import { createServer } from "node:http";
  import { closeWhileDraining, drainServer } from "./lib/http/drain-keepalive.ts";
  const server = createServer({ keepAliveTimeout: 90_000 }, (request, response) => {
    closeWhileDraining({ request, response });
    setTimeout(() => response.end("here"), request.url === "/slow" ? 1_000 : 0);
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
  process.on("SIGTERM", () => drainServer(server).then(() => process.exit(143)));
`;

test("a draining process waits for running requests but not for idle connections", async () => {
  const site = spawn(process.execPath, ["--input-type=module", "-e", SITE], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [printed] = (await once(site.stdout, "data")) as [Buffer];
  const agent = new Agent({ keepAlive: true });
  const ask = (path: string) =>
    new Promise<{ text: string; connection: string | undefined }>((resolve, reject) => {
      get({ host: "127.0.0.1", port: Number(printed.toString()), path, agent }, (response) => {
        let text = "";
        response
          .on("data", (chunk) => (text += chunk))
          .on("end", () => resolve({ text, connection: response.headers.connection }));
      }).on("error", reject);
    });
  expect(await ask("/")).toEqual({ text: "here", connection: "keep-alive" });
  // On the keep-alive connection; its response comes after the signal.
  const slow = ask("/slow");
  await ask("/");
  const startedMs = performance.now();
  site.kill("SIGTERM");
  const ended = once(site, "exit");
  expect((await slow).text).toBe("here");
  expect(await ended).toEqual([143, null]);
  expect(performance.now() - startedMs).toBeLessThan(10_000);
  agent.destroy();
}, 30_000);
