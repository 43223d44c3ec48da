// Checks a running site from outside: its health, clock and metrics, and what must not be public.

import { connect } from "node:net";
import { env } from "#lib/core/env.ts";
import { SECOND_MS } from "#lib/core/clock.ts";
import { formatDuration } from "#lib/core/format.ts";
import { requestInternal } from "#lib/core/internal-request.ts";
import { type Finding, note, ok, problem } from "../finding.ts";
import { checkClock, measureClockSkewMs } from "./machine.ts";

const TIMEOUT_MS = 5 * SECOND_MS;
const LITEFS_PORT = 20_202;
const PORT_TIMEOUT_MS = 2 * SECOND_MS;

async function request(url: string, headers: Record<string, string> = {}) {
  const startedMs = performance.now();
  const response = await requestInternal(url, { headers, timeoutMs: TIMEOUT_MS });
  return { ...response, ms: performance.now() - startedMs };
}

async function checkHealth(site: string): Promise<Finding[]> {
  try {
    const { status, ms } = await request(`${site}/healthz`);
    if (status === 200) return [ok(`/healthz: ${Math.round(ms)} ms`)];
    return [
      problem(
        `/healthz: ${status}`,
        "The site, or the proxy in front of it, is broken.",
        `curl -si ${site}/healthz; fly logs`,
      ),
    ];
  } catch (error) {
    return [
      problem(
        `${site} isn't responding: ${(error as Error).message}`,
        "No one can read it.",
        "fly status; fly logs",
      ),
    ];
  }
}

interface Readiness {
  readonly ready: boolean;
  readonly role: string;
  readonly region: string | null;
  readonly behindMs: number | null;
  readonly standby: string | null;
  readonly problems: readonly string[];
  readonly degraded: readonly string[];
}

/** Returns what /readyz says about the instance that answered. */
export function checkReadyz(readiness: Readiness): Finding[] {
  const { ready, role, region, behindMs, standby, problems, degraded } = readiness;
  const runbook = "docs/runbooks/deploy.md, Warning signs";
  const findings = [...problems, ...degraded].map((text) =>
    problem(`/readyz: ${text}`, "Some of its functions don't work.", runbook),
  );
  if (standby === "no standby is connected" || standby === "slow")
    findings.push(
      problem(
        `/readyz: ${standby === "slow" ? "the standby is slow" : standby}`,
        "If the primary's machine dies, its last writes are lost.",
        "fly scale count 2 --region THE-PRIMARY-REGION",
      ),
    );
  if (behindMs !== null && behindMs > 10 * SECOND_MS)
    findings.push(
      problem(
        `/readyz: ${formatDuration(behindMs, "short")} behind the primary`,
        "Readers see stale pages.",
        "fly machine restart ID",
      ),
    );
  if (ready && findings.length === 0)
    return [ok(`/readyz: ${role}${region ? ` in ${region}` : ""}`)];
  return findings;
}

async function readReadyz(site: string): Promise<Finding[]> {
  const { status, body } = await request(`${site}/readyz`);
  try {
    return checkReadyz(JSON.parse(body) as Readiness);
  } catch {
    return [
      problem(
        `/readyz: ${status}, and no JSON`,
        "This is not Lectern, or a proxy responds instead.",
        `curl -si ${site}/readyz`,
      ),
    ];
  }
}

/** The longest pause of the event loop that visitors don't notice. */
const MAX_EVENT_LOOP_DELAY_SECONDS = 0.5;

/** Returns what the metrics say: lectern_event_loop_delay_seconds and lectern_writes_refused_total. */
export function checkMetrics(text: string): Finding[] {
  const read = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? NaN);
  const delay = read(/^lectern_event_loop_delay_seconds\{[^}]*0\.99[^}]*\} (\S+)$/m);
  const findings: Finding[] = [];
  if (delay > MAX_EVENT_LOOP_DELAY_SECONDS)
    findings.push(
      problem(
        `/metrics: the event loop was blocked for ${delay.toFixed(1)} s`,
        "All visitors of this instance wait that long.",
        "See the log for slow queries (db.slow_query), and the traces: docs/runbooks/observability.md",
      ),
    );
  return findings.length > 0 ? findings : [ok("/metrics: with the token only")];
}

async function readMetrics(site: string): Promise<Finding[]> {
  const anonymous = await request(`${site}/metrics`);
  if (anonymous.status === 200)
    return [
      problem(
        "/metrics is public",
        "It shows anyone how the site is used and what is slow.",
        "Remove the rule in the proxy that serves it; the site itself requires METRICS_TOKEN.",
      ),
    ];
  const [token] = env.METRICS_TOKEN ?? [];
  if (!token || anonymous.status === 404)
    return [
      note(
        anonymous.status === 404 ? "/metrics: 404" : "/metrics was not read",
        "METRICS_TOKEN is missing there or here, so nothing was checked.",
        `METRICS_TOKEN=… npm run doctor -- --url ${site}`,
      ),
    ];
  const { status, body } = await request(`${site}/metrics`, { authorization: `Bearer ${token}` });
  return status === 200
    ? checkMetrics(body)
    : [
        problem(
          `/metrics: ${status} with this METRICS_TOKEN`,
          "The tokens here and there differ.",
          `Set the same token there: fly secrets set METRICS_TOKEN=…`,
        ),
      ];
}

/** Returns true if `host` accepts connections at `port` within 2 s. */
export function isPortOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PORT_TIMEOUT_MS });
    const finish = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once("connect", () => finish(true));
    socket.once("timeout", () => finish(false));
    socket.once("error", () => finish(false));
  });
}

async function checkPrivatePorts(site: string): Promise<Finding[]> {
  const { hostname } = new URL(site);
  // On this machine, the port is reachable in any case.
  if (/^(localhost|127\.|\[::1\])/.test(hostname)) return [];
  return (await isPortOpen(hostname.replace(/^\[|\]$/g, ""), LITEFS_PORT))
    ? [
        problem(
          `${hostname}:${LITEFS_PORT} is open`,
          "Through it, anyone can read and overwrite the whole database without a password.",
          "Remove the port from fly.toml, and block it in the firewall.",
        ),
      ]
    : [ok(`${hostname}:${LITEFS_PORT} (LiteFS) is closed`)];
}

async function checkTransport(site: string): Promise<Finding[]> {
  const { headers } = await request(`${site}/healthz`);
  if (site.startsWith("https:"))
    return headers["strict-transport-security"]
      ? [ok("HTTPS, with HSTS")]
      : [
          problem(
            "no Strict-Transport-Security header",
            "The proxy removes it, so a browser may try HTTP first.",
            `curl -sI ${site}/healthz`,
          ),
        ];
  return /\/\/(localhost|127\.|\[::1\])/.test(site)
    ? []
    : [
        problem(
          "no HTTPS",
          "Cookies can be read in transit, and passkeys and the recorder don't work.",
          "Put a proxy with a certificate in front: docs/runbooks/deploy.md",
        ),
      ];
}

/**
 * Returns the findings for the site at `site`, an origin. If the health check fails, skips the
 * other checks.
 */
export async function checkRunningSite(site: string): Promise<Finding[]> {
  const health = await checkHealth(site);
  if (health.some(({ level }) => level === "problem")) return health;
  const rest = await Promise.all([
    checkTransport(site),
    readReadyz(site),
    measureClockSkewMs(`${site}/healthz`).then((skewMs) => checkClock(new URL(site).host, skewMs)),
    readMetrics(site),
    checkPrivatePorts(site),
  ]);
  return [...health, ...rest.flat()];
}
