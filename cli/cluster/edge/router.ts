// Routes requests like Fly's proxy: picks an instance, retries if that is safe, and follows
// fly-replay.

import type { Agent, IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { finished, pipeline } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { MAX_REPLAY_BYTES, bufferBody } from "./buffer-body.ts";
import {
  type ReplayDirective,
  type ReplayFailure,
  formatReplayFailure,
  formatReplaySource,
  parseReplay,
} from "./fly-replay.ts";
import { type BufferedBody, type ForwardResult, forwardRequest } from "./forward.ts";
import type { HealthChecks, Instance } from "./health-checks.ts";
import { makeRequestHeaders, makeResponseHeaders, newRequestId } from "./proxy-headers.ts";
import { type RoutingPreference, rankInstances } from "./rank-instances.ts";

export interface RouterOptions {
  region: string;
  health: HealthChecks;
  /** Returns the round-trip time in milliseconds, by which instances are ranked. */
  roundTripMs: (from: string, to: string) => number;
  /** Returns the simulated one-way latency in milliseconds. */
  delayMs: (from: string, to: string) => number;
  /** How long to look for an instance that accepts a request. */
  instanceTimeoutMs: number;
  /** How long to wait for a response head. */
  responseTimeoutMs: number;
  agent: Agent;
}

export interface EdgeEvent {
  occurredMs: number;
  requestId: string;
  kind: "replay" | "replay-failed" | "too-large" | "retry" | "error";
  method: string;
  path: string;
  /** The instance that caused it. */
  instance?: string;
  detail: string;
}

const MAX_EVENTS = 1_000;
/** Stops replay loops. */
const MAX_REPLAYS = 10;
/** Like Fly, which gives up after twenty attempts to find an instance that accepts the request. */
const MAX_ATTEMPTS = 20;
const RETRY_DELAY_MS = 100;
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS"]);

type ForwardSuccess = Extract<ForwardResult, { failure?: undefined }>;
type Delivery =
  | { result: ForwardSuccess; instance: Instance }
  | { failure: ReplayFailure | "broken" | "late"; message: string };

/** A client's request with its response. */
interface Exchange {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: BufferedBody;
  /** Aborted when the response is finished or the client disconnects. */
  readonly signal: AbortSignal;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** True if an instance may have received the request. */
  isSent: boolean;
}

/** Where a request goes next. */
interface Route {
  readonly preference: RoutingPreference;
  readonly headers: IncomingHttpHeaders;
  readonly budgetMs: number;
  /** The replay that led to this route; null for the first. */
  readonly replay: {
    readonly instance: Instance;
    readonly directive: ReplayDirective;
    readonly startedMs: number;
  } | null;
}

export class Router {
  readonly counts = {
    requests: 0,
    replay: 0,
    "replay-failed": 0,
    "too-large": 0,
    retry: 0,
    error: 0,
  };
  readonly events: EdgeEvent[] = [];
  readonly #options: RouterOptions;
  #turn = 0;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.counts.requests += 1;
    const exchange = await this.#openExchange(request, response);
    let route: Route | null = {
      preference: readPreference(exchange.headers),
      headers: exchange.headers,
      budgetMs: this.#options.instanceTimeoutMs,
      replay: null,
    };
    for (let replays = 0; route;) {
      const delivery = await this.#deliver(exchange, route);
      if (exchange.signal.aborted) return;
      if ("failure" in delivery) {
        route = this.#fallBack(exchange, route, delivery);
        replays = MAX_REPLAYS; // a returned request can't be replayed again
        continue;
      }
      const { result, instance } = delivery;
      const header = result.response.headers["fly-replay"];
      if (header === undefined) return this.#pass(exchange, result);
      result.response.resume();
      result.response.on("error", () => {});
      route = this.#followReplay(exchange, route, instance, String(header), (replays += 1));
    }
  }

  async #openExchange(request: IncomingMessage, response: ServerResponse): Promise<Exchange> {
    const controller = new AbortController();
    finished(response, () => controller.abort());
    const id = newRequestId(this.#options.region);
    const body = await bufferBody(request);
    const headers = makeRequestHeaders(request, this.#options.region, id);
    if (!body.rest && headers["transfer-encoding"]) {
      delete headers["transfer-encoding"];
      headers["content-length"] = String(body.start.length);
    }
    return {
      id,
      method: request.method ?? "GET",
      path: request.url ?? "/",
      headers,
      body,
      signal: controller.signal,
      request,
      response,
      isSent: false,
    };
  }

  /**
   * Tries instances until one responds, or until retrying is not safe (the request is not
   * idempotent).
   */
  async #deliver(exchange: Exchange, { preference, headers, budgetMs }: Route): Promise<Delivery> {
    const { health, region, roundTripMs } = this.#options;
    const deadlineMs = performance.now() + budgetMs;
    let message = "no instance passes its health check";
    let failure: ReplayFailure = "no_candidate";
    for (let attempts = 0; attempts < MAX_ATTEMPTS;) {
      this.#turn += 1;
      const candidates = rankInstances(
        health.listHealthy(),
        region,
        roundTripMs,
        preference,
        this.#turn,
      );
      for (const instance of candidates) {
        if (exchange.body.rest && exchange.isSent)
          return { failure: "broken", message: "a body over 1 MB can be sent only once" };
        const result = await this.#forward(exchange, instance, headers);
        if (!result.failure) {
          exchange.isSent = true;
          return { result, instance };
        }
        attempts += 1;
        ({ message } = result);
        failure = "retries_exhausted";
        exchange.isSent ||= result.failure !== "refused";
        if (exchange.signal.aborted)
          return { failure: "broken", message: "the client disconnected" };
        if (result.failure === "late") return { failure: "late", message };
        if (result.failure === "broken" && !IDEMPOTENT.has(exchange.method))
          return { failure: "broken", message };
        this.#note(exchange, "retry", `${result.failure}: ${message}`, instance);
        if (performance.now() > deadlineMs || attempts >= MAX_ATTEMPTS) break;
      }
      if (performance.now() + RETRY_DELAY_MS > deadlineMs)
        return { failure: failure === "no_candidate" ? failure : "timeout", message };
      await sleep(RETRY_DELAY_MS);
    }
    return { failure, message };
  }

  #forward(
    { method, path, body, signal }: Exchange,
    instance: Instance,
    headers: IncomingHttpHeaders,
  ): Promise<ForwardResult> {
    const { agent, delayMs, region, responseTimeoutMs } = this.#options;
    return forwardRequest({
      instance,
      method,
      path,
      headers,
      body,
      agent,
      delayMs: delayMs(region, instance.region),
      timeoutMs: responseTimeoutMs,
      signal,
    });
  }

  /**
   * Returns the route back to the replaying instance if it requested a fallback; otherwise responds
   * with an error.
   */
  #fallBack(
    exchange: Exchange,
    { replay }: Route,
    { failure, message }: Extract<Delivery, { failure: unknown }>,
  ): Route | null {
    // Once an instance may have received the request, it can't fall back to another.
    if (failure === "broken" || failure === "late" || !replay?.directive.fallback) {
      const status = failure === "late" ? 504 : failure === "no_candidate" ? 503 : 502;
      return this.#fail(exchange, status, `${replay ? "replay: " : ""}${message}`);
    }
    const { instance, directive, startedMs } = replay;
    this.#note(exchange, "replay-failed", failure, instance);
    return {
      preference:
        directive.fallback === "force_self"
          ? { instance: instance.name }
          : { preferInstance: instance.name },
      headers: {
        ...exchange.headers,
        "fly-replay-failed": formatReplayFailure(
          directive,
          instance,
          failure,
          performance.now() - startedMs,
        ),
      },
      budgetMs: this.#options.instanceTimeoutMs,
      replay: null,
    };
  }

  /**
   * Returns the route that a fly-replay header requests; responds with an error if it is not
   * allowed.
   */
  #followReplay(
    exchange: Exchange,
    route: Route,
    instance: Instance,
    header: string,
    replays: number,
  ): Route | null {
    let directive: ReplayDirective;
    try {
      directive = parseReplay(header);
    } catch (error) {
      return this.#fail(exchange, 502, (error as Error).message);
    }
    if (exchange.body.rest) {
      this.#note(exchange, "too-large", `over ${MAX_REPLAY_BYTES} bytes`, instance);
      return this.#fail(exchange, 502, "A request over 1 MB can't be replayed.");
    }
    if (route.headers["fly-replay-failed"])
      return this.#fail(
        exchange,
        502,
        "A request that came back from a failed replay was replayed again.",
      );
    if (replays > MAX_REPLAYS)
      return this.#fail(exchange, 502, `Replayed more than ${MAX_REPLAYS} times.`);
    this.#note(exchange, "replay", header, instance);
    return {
      preference: {
        instance: directive.instance,
        preferInstance: directive.preferInstance,
        regions: directive.regions,
        excludedInstance: directive.isElsewhere ? instance.name : undefined,
      },
      headers: {
        ...exchange.headers,
        "fly-replay-src": formatReplaySource(instance, Date.now(), directive.state),
      },
      budgetMs: directive.timeoutMs ?? this.#options.instanceTimeoutMs,
      replay: { instance, directive, startedMs: performance.now() },
    };
  }

  #pass(exchange: Exchange, { response: upstream, body }: ForwardSuccess): void {
    const { response, id } = exchange;
    response.writeHead(
      upstream.statusCode ?? 502,
      upstream.statusMessage,
      makeResponseHeaders(upstream, id),
    );
    response.flushHeaders();
    pipeline(body, response, (error) => {
      if (error && !upstream.complete && !response.writableFinished)
        this.#note(exchange, "error", `the response was cut off: ${error.message}`);
      upstream.destroy(error ?? undefined);
    });
  }

  #note(exchange: Exchange, kind: EdgeEvent["kind"], detail: string, instance?: Instance): void {
    this.counts[kind] += 1;
    const { id, method, path } = exchange;
    this.events.push({
      occurredMs: Date.now(),
      requestId: id,
      kind,
      method,
      path,
      detail,
      ...(instance && { instance: instance.name }),
    });
    if (this.events.length > MAX_EVENTS) this.events.shift();
  }

  #fail(exchange: Exchange, status: number, text: string): null {
    this.#note(exchange, "error", `${status} ${text}`);
    const { request, response, id } = exchange;
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return null;
    }
    // Close the connection, or the unread rest of the body would be parsed as the next request.
    response
      .writeHead(status, {
        "content-type": "text/plain",
        "fly-request-id": id,
        ...(request.complete ? {} : { connection: "close" }),
      })
      .end(`${text}\n`);
    return null;
  }
}

function readPreference(headers: IncomingHttpHeaders): RoutingPreference {
  const read = (name: string) => {
    const value = headers[name];
    return typeof value === "string" ? value : undefined;
  };
  return {
    instance: read("fly-force-instance-id"),
    preferInstance: read("fly-prefer-instance-id"),
    preferRegions: read("fly-prefer-region")
      ?.split(",")
      .map((region) => region.trim()),
  };
}
