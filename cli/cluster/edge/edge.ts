// Fly's proxy in one region, as far as the site can tell: picks an instance, says who asks, obeys fly-replay. No more than that.
// What it does is in https://fly.io/docs/networking/dynamic-request-routing/ and …/request-headers/.

import {
  Agent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  createServer,
} from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { finished, pipeline } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { MAX_REPLAY_BYTES, bufferBody } from "./buffer-body.ts";
import { type ForwardResult, type BufferedBody, forwardRequest } from "./forward.ts";
import { newRequestId, makeRequestHeaders, makeResponseHeaders } from "./proxy-headers.ts";
import {
  type HealthChecks,
  type Instance,
  type RoutingPreference,
  rankInstances,
} from "./instances.ts";
import {
  type ReplayDirective,
  type ReplayFailure,
  parseReplay,
  formatReplayFailure,
  formatReplaySource,
} from "./fly-replay.ts";

export interface EdgeOptions {
  region: string;
  /** 0: any free port. */
  port: number;
  health: HealthChecks;
  /** For the order of instances, in milliseconds. */
  roundTripMs: (from: string, to: string) => number;
  /** How long the way to an instance is made, one way. */
  delayMs: (from: string, to: string) => number;
  /** How long the proxy looks for an instance that takes a request. */
  instanceTimeoutMs?: number;
  /** Until the head of an answer is there. */
  responseTimeoutMs?: number;
}

export interface EdgeEvent {
  occurredMs: number;
  requestId: string;
  kind: "replay" | "replay-failed" | "too-large" | "retry" | "error";
  method: string;
  path: string;
  /** The instance that answered so, or could not. */
  instance?: string;
  detail: string;
}

export interface Edge {
  readonly region: string;
  readonly url: string;
  readonly counts: Readonly<Record<"requests" | EdgeEvent["kind"], number>>;
  /** The last thousand things that did not go straight through. */
  listEvents(): readonly EdgeEvent[];
  stop(): Promise<void>;
}

const MAX_EVENTS = 1_000;
/** A site that replays in circles is stopped here. */
const MAX_REPLAYS = 10;
/** Fly gives up after twenty tries to find an instance that takes a request. */
const MAX_TRIES = 20;
const RETRY_DELAY_MS = 100;
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS"]);

/** Listens on localhost until stopped. Throws if the port is taken. */
export async function startEdge({
  region,
  port,
  health,
  roundTripMs,
  delayMs,
  instanceTimeoutMs = 10_000,
  responseTimeoutMs = 60_000,
}: EdgeOptions): Promise<Edge> {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 64, maxSockets: 512 });
  const counts = { requests: 0, replay: 0, "replay-failed": 0, "too-large": 0, retry: 0, error: 0 };
  const events: EdgeEvent[] = [];
  let turn = 0;

  interface Job {
    id: string;
    method: string;
    path: string;
    headers: IncomingHttpHeaders;
    body: BufferedBody;
    isSent: boolean;
    signal: AbortSignal;
    note: (kind: EdgeEvent["kind"], detail: string, instance?: Instance) => void;
  }

  /** Tries instances until one answers. Says why none did: `none` took it, or it is not safe to ask another. */
  async function deliver(
    job: Job,
    wish: RoutingPreference,
    headers: IncomingHttpHeaders,
    budgetMs: number,
  ): Promise<
    | { answer: Extract<ForwardResult, { failure?: undefined }>; instance: Instance }
    | { failure: ReplayFailure | "broken" | "late"; message: string }
  > {
    const endMs = performance.now() + budgetMs;
    let message = "no instance passes its health check";
    let failure: ReplayFailure = "no_candidate";
    for (let tries = 0; tries < MAX_TRIES;) {
      const candidates = rankInstances(
        health.listHealthy(),
        region,
        roundTripMs,
        wish,
        (turn += 1),
      );
      for (const instance of candidates) {
        if (job.body.rest && job.isSent)
          return { failure: "broken", message: "a body over 1 MB can be sent once only" };
        const attempt = await forwardRequest({
          instance,
          method: job.method,
          path: job.path,
          headers,
          body: job.body,
          agent,
          delayMs: delayMs(region, instance.region),
          timeoutMs: responseTimeoutMs,
          signal: job.signal,
        });
        if (!attempt.failure) {
          job.isSent = true;
          return { answer: attempt, instance };
        }
        tries += 1;
        ({ message } = attempt);
        failure = "retries_exhausted";
        job.isSent ||= attempt.failure !== "refused";
        if (job.signal.aborted) return { failure: "broken", message: "the client went away" };
        if (attempt.failure === "late") return { failure: "late", message };
        if (attempt.failure === "broken" && !IDEMPOTENT.has(job.method))
          return { failure: "broken", message };
        job.note("retry", `${attempt.failure}: ${message}`, instance);
        if (performance.now() > endMs || tries >= MAX_TRIES) break;
      }
      if (performance.now() + RETRY_DELAY_MS > endMs)
        return { failure: failure === "no_candidate" ? failure : "timeout", message };
      await sleep(RETRY_DELAY_MS);
    }
    return { failure, message };
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    counts.requests += 1;
    const aborted = new AbortController();
    finished(response, () => aborted.abort());
    const id = newRequestId(region);
    const [method, path] = [request.method ?? "GET", request.url ?? "/"];
    const note: Job["note"] = (kind, detail, instance) => {
      counts[kind] += 1;
      if (
        events.push({
          occurredMs: Date.now(),
          requestId: id,
          kind,
          method,
          path,
          detail,
          ...(instance && { instance: instance.name }),
        }) > MAX_EVENTS
      )
        events.shift();
    };
    const fail = (status: number, text: string) => {
      note("error", `${status} ${text}`);
      if (response.headersSent || response.destroyed) return void response.destroy();
      // What was not read of a body would be taken for the next request.
      response
        .writeHead(status, {
          "content-type": "text/plain",
          "fly-request-id": id,
          ...(request.complete ? {} : { connection: "close" }),
        })
        .end(`${text}\n`);
    };

    const body = await bufferBody(request);
    const headers = makeRequestHeaders(request, region, id);
    if (!body.rest && headers["transfer-encoding"]) {
      delete headers["transfer-encoding"];
      headers["content-length"] = String(body.start.length);
    }
    const job: Job = {
      id,
      method,
      path,
      headers,
      body,
      isSent: false,
      signal: aborted.signal,
      note,
    };
    const said = (name: string) => (typeof headers[name] === "string" ? headers[name] : undefined);

    let wish: RoutingPreference = {
      instance: said("fly-force-instance-id"),
      preferInstance: said("fly-prefer-instance-id"),
      preferRegions: said("fly-prefer-region")
        ?.split(",")
        .map((one) => one.trim()),
    };
    let now = headers;
    let budgetMs = instanceTimeoutMs;
    let from: { instance: Instance; replay: ReplayDirective; startMs: number } | null = null;
    for (let replays = 0; ;) {
      const delivered = await deliver(job, wish, now, budgetMs);
      if (job.signal.aborted) return;
      if (!("answer" in delivered)) {
        const { failure, message } = delivered;
        // A replay failed only while nothing was connected; an instance that took the request has taken it.
        if (failure === "broken" || failure === "late" || !from?.replay.fallback)
          return fail(
            failure === "late" ? 504 : failure === "no_candidate" ? 503 : 502,
            `${from ? "replay: " : ""}${message}`,
          );
        const {
          instance,
          replay,
          startMs,
        }: { instance: Instance; replay: ReplayDirective; startMs: number } = from;
        note("replay-failed", failure, instance);
        now = {
          ...headers,
          "fly-replay-failed": formatReplayFailure(
            replay,
            instance,
            failure,
            performance.now() - startMs,
          ),
        };
        wish =
          replay.fallback === "force_self"
            ? { instance: instance.name }
            : { preferInstance: instance.name };
        budgetMs = instanceTimeoutMs;
        from = null;
        replays = MAX_REPLAYS; // who got its request back can't replay it
        continue;
      }
      const { answer, instance } = delivered;
      const asked = answer.response.headers["fly-replay"];
      if (asked === undefined) return pass(answer, response, id, note);

      answer.response.resume();
      answer.response.on("error", () => {});
      let replay: ReplayDirective;
      try {
        replay = parseReplay(String(asked));
      } catch (error) {
        return fail(502, (error as Error).message);
      }
      if (body.rest) {
        note("too-large", `over ${MAX_REPLAY_BYTES} bytes`, instance);
        return fail(502, "A request over 1 MB can't be replayed.");
      }
      if (now["fly-replay-failed"])
        return fail(502, "A request that came back from a failed replay was replayed again.");
      if ((replays += 1) > MAX_REPLAYS)
        return fail(502, `Replayed more than ${MAX_REPLAYS} times.`);
      note("replay", String(asked), instance);
      from = { instance, replay, startMs: performance.now() };
      wish = {
        instance: replay.instance,
        preferInstance: replay.preferInstance,
        regions: replay.regions,
        excludedInstance: replay.isElsewhere ? instance.name : undefined,
      };
      now = {
        ...headers,
        "fly-replay-src": formatReplaySource(instance, Date.now(), replay.state),
      };
      budgetMs = replay.timeoutMs ?? instanceTimeoutMs;
    }
  }

  function pass(
    { response: answer, body }: Extract<ForwardResult, { failure?: undefined }>,
    response: ServerResponse,
    id: string,
    note: Job["note"],
  ): void {
    response.writeHead(
      answer.statusCode ?? 502,
      answer.statusMessage,
      makeResponseHeaders(answer, id),
    );
    response.flushHeaders();
    pipeline(body, response, (error) => {
      if (error && !answer.complete && !response.writableFinished)
        note("error", `the answer broke off: ${error.message}`);
      answer.destroy(error ?? undefined);
    });
  }

  const server = createServer({ keepAliveTimeout: 60_000, noDelay: true }, (request, response) => {
    request.on("error", () => {});
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    throw error.code === "EADDRINUSE"
      ? new Error(`Port ${port} is taken. Stop what runs there, or choose another.`)
      : error;
  });
  const actual = (server.address() as AddressInfo).port;
  // Browsers try ::1 for localhost first; a machine without IPv6 has none.
  const six = createServer({ keepAliveTimeout: 60_000, noDelay: true });
  for (const handler of server.listeners("request")) six.on("request", handler as () => void);
  six.on("error", () => {}).listen(actual, "::1");

  return {
    region,
    url: `http://localhost:${actual}`,
    counts,
    listEvents: () => events,
    async stop() {
      for (const one of [server, six]) {
        one.close();
        one.closeAllConnections();
      }
      agent.destroy();
      if (server.listening) await once(server, "close");
    },
  };
}
