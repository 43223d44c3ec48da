// Runs nginx with the configuration of docs/runbooks/vps.md, on free ports and with its own
// certificate.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePort } from "./free-port.ts";

export interface Nginx {
  /** The origin with TLS, whose certificate is `ca`. */
  readonly url: string;
  /** The origin without TLS. */
  readonly plainUrl: string;
  readonly ca: Buffer;
  stop(): Promise<void>;
}

export const hasNginx = (): boolean => spawnSync("nginx", ["-v"]).status === 0;

/** Returns the nginx block of the page. */
function readConfiguration(): string {
  const [, text] = /```nginx\n([^]*?)```/.exec(
    readFileSync(join("docs", "runbooks", "vps.md"), "utf8"),
  )!;
  return text!;
}

/**
 * Starts nginx in front of the server at `upstreamPort`. `ports` are those for HTTPS and HTTP.
 * Throws with nginx's message if it refuses the configuration.
 */
export async function startNginx(
  upstreamPort: number,
  ports?: readonly [https: number, http: number],
): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), "lectern-nginx-"));
  const [https, http] = ports ?? [await findFreePort(), await findFreePort()];
  const [certificate, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
  run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"],
    ...["-keyout", key, "-out", certificate],
  ]);
  const site = readConfiguration()
    .replaceAll("127.0.0.1:8080", `127.0.0.1:${upstreamPort}`)
    .replaceAll("example.com", "localhost")
    .replace("/etc/letsencrypt/live/localhost/fullchain.pem", certificate)
    .replace("/etc/letsencrypt/live/localhost/privkey.pem", key)
    .replaceAll(/listen \[::\].*\n/g, "\n")
    .replace("listen 443", `listen ${https}`)
    .replace("listen 80;", `listen ${http};`);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join("\n");
  const file = join(folder, "nginx.conf");
  writeFileSync(
    file,
    `${process.getuid?.() === 0 ? "user root;" : ""}
     pid ${join(folder, "pid")}; error_log ${join(folder, "log")}; daemon off;
     events {}
     http { access_log off; ${temporary} ${site} }`,
  );
  run("nginx", ["-t", "-q", "-c", file]);
  const nginx = spawn("nginx", ["-c", file], { stdio: ["ignore", "inherit", "inherit"] });
  return {
    url: `https://localhost:${https}`,
    plainUrl: `http://localhost:${http}`,
    ca: readFileSync(certificate),
    async stop() {
      const exited = new Promise((resolve) => nginx.once("exit", resolve));
      nginx.kill("SIGTERM");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr.trim()}`);
}
