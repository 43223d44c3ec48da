// Extends Node's request and response by what the pipeline needs: a copy of the body, one hook for the head, a final response.

import { IncomingMessage, type OutgoingHttpHeaders, type Server, ServerResponse } from "node:http";

export type SiteServer = Server<typeof SiteRequest, typeof SiteResponse>;

/** Keeps a copy of its body while the handler reads it, where `captureBody` was called. */
export class SiteRequest extends IncomingMessage {
  #chunks: Buffer[] | null = null;
  #freeBytes = 0;

  /** Copies what arrives from now on, up to `maxBytes`. */
  captureBody(maxBytes: number): void {
    this.#chunks = [];
    this.#freeBytes = maxBytes;
  }

  /** The body so far; null if it is larger than `maxBytes` or not captured. */
  get capturedBody(): Buffer | null {
    return this.#chunks && Buffer.concat(this.#chunks);
  }

  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (chunk && this.#chunks) {
      this.#freeBytes -= chunk.length;
      if (this.#freeBytes < 0) this.#chunks = null;
      else this.#chunks.push(chunk);
    }
    return super.push(chunk, encoding);
  }
}

/** A page that is sent in place of the handler's response. */
export interface Replacement {
  readonly status: number;
  readonly contentType: string;
  /** Called when the handler has ended its response. */
  readonly renderBody: () => string | Promise<string>;
}

export interface ResponseHooks {
  /** Called once, when the head is about to leave: may change headers, and returns the status to send. */
  readonly beforeHead: (status: number) => number;
  /** Called until the head is sent; null lets the handler's response pass. */
  readonly findReplacement: (status: number) => Replacement | null;
}

const REPLACED_HEADERS = /^(content-(type|length|encoding)|etag)$/;

/** The only place that intercepts a response: its head, its replacement, and whatever comes after a final response. */
export class SiteResponse extends ServerResponse<SiteRequest> {
  hooks: ResponseHooks | null = null;
  #sentStatus: number | null = null;
  #replacement: Replacement | null = null;
  #isFinal = false;

  /** The status on the wire; before that, the one the handler has set. */
  get sentStatus(): number {
    return this.#sentStatus ?? this.statusCode;
  }

  /** Sends this response now and ignores everything that the handler writes later. Does nothing once a head is sent. */
  sendFinal(status: number, headers: OutgoingHttpHeaders, body: string): void {
    if (this.headersSent) return;
    for (const name of this.getHeaderNames()) this.removeHeader(name);
    this.#sendHead(status, headers);
    super.end(body);
    this.#isFinal = true;
  }

  override writeHead(status: number, ...rest: unknown[]): this {
    if (this.#isFinal || this.#isReplaced(status)) return this;
    if (this.headersSent) return super.writeHead(status, ...(rest as [])); // Node's error
    return this.#sendHead(this.hooks?.beforeHead(status) ?? status, ...rest);
  }

  override write(...args: unknown[]): boolean {
    if (this.#isFinal || this.#isReplaced(this.statusCode)) return true;
    return super.write(...(args as [string]));
  }

  override end(...args: unknown[]): this {
    if (this.#isFinal) return this;
    if (!this.#isReplaced(this.statusCode)) return super.end(...(args as []));
    const callback = args.find((arg) => typeof arg === "function") as (() => void) | undefined;
    if (callback) this.once("finish", callback);
    this.#sendReplacement(this.#replacement!).catch(() => this.destroy());
    return this;
  }

  override setHeader(name: string, value: number | string | readonly string[]): this {
    return this.#isFinal ? this : super.setHeader(name, value);
  }

  override appendHeader(name: string, value: string | readonly string[]): this {
    return this.#isFinal ? this : super.appendHeader(name, value);
  }

  override setHeaders(headers: Headers | Map<string, number | string | readonly string[]>): this {
    return this.#isFinal ? this : super.setHeaders(headers);
  }

  override removeHeader(name: string): void {
    if (!this.#isFinal) super.removeHeader(name);
  }

  override flushHeaders(): void {
    if (!this.#isFinal) super.flushHeaders();
  }

  #sendHead(status: number, ...rest: unknown[]): this {
    this.#sentStatus = status;
    return super.writeHead(status, ...(rest as []));
  }

  #isReplaced(status: number): boolean {
    if (!this.headersSent) this.#replacement ??= this.hooks?.findReplacement(status) ?? null;
    return this.#replacement !== null && !this.headersSent;
  }

  async #sendReplacement({ status, contentType, renderBody }: Replacement): Promise<void> {
    const body = await renderBody();
    if (this.headersSent) return;
    for (const name of this.getHeaderNames())
      if (REPLACED_HEADERS.test(name)) this.removeHeader(name);
    this.setHeader("content-type", contentType);
    this.setHeader("cache-control", "private, no-store");
    this.#sendHead(this.hooks!.beforeHead(status));
    super.end(body);
    this.#isFinal = true;
  }
}
