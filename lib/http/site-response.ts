// Extends Node's request and response for the pipeline: a body that is buffered, a hook before the
// head, and a final response.

import { IncomingMessage, type OutgoingHttpHeaders, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { ByteBuffer } from "./byte-buffer.ts";

export type SiteServer = Server<typeof SiteRequest, typeof SiteResponse>;

/** Maximum bytes of a refused body to discard before its connection is closed. */
const MAX_DISCARDED_BYTES = 2_097_152;
/**
 * After MIN_CHUNKS chunks, their average size must be at least MIN_MEAN_BYTES. Each chunk takes a few
 * microseconds, so that chunks of one byte need 100 times the CPU time of the same body in one chunk.
 */
const MIN_CHUNKS = 1_000;
const MIN_MEAN_BYTES = 64;

interface BodyBuffering {
  readonly maxBytes: number;
  readonly onComplete: () => void;
  readonly onTooLarge: () => void;
}

/**
 * A request whose body can be buffered until it is complete, or be discarded, and
 * that can copy its body while the handler reads it.
 */
export class SiteRequest extends IncomingMessage {
  #buffering: BodyBuffering | null = null;
  #bufferedBody = new ByteBuffer();
  #isDiscarded = false;
  #isResumeScheduled = false;
  #capturedBody: ByteBuffer | null = null;
  #freeCaptureBytes = 0;
  #chunkCount = 0;
  /** Bytes of the body received so far. */
  receivedBytes = 0;

  /** Starts copying the body, up to `maxBytes`. */
  captureBody(maxBytes: number): void {
    this.#capturedBody = new ByteBuffer();
    this.#freeCaptureBytes = maxBytes;
  }

  /** The body received so far; null if it is larger than `maxBytes` or not captured. */
  get capturedBody(): Buffer | null {
    return this.#capturedBody?.bytes ?? null;
  }

  /** Keeps the body in memory; it can be read after deliverBody(). */
  bufferBody(buffering: BodyBuffering): void {
    this.#buffering = buffering;
  }

  /** Makes a complete body readable. Call it from `onComplete`. */
  deliverBody(): void {
    this.#buffering = null;
    const { bytes } = this.#bufferedBody;
    this.#bufferedBody = new ByteBuffer();
    if (bytes.length > 0) this.#pushAndCapture(bytes);
    super.push(null);
  }

  /** Discards what was buffered and what is still to come. */
  discardBody(): void {
    this.#buffering = null;
    this.#bufferedBody = new ByteBuffer();
    this.#isDiscarded = true;
    this.resume();
  }

  /** Node calls it after the response, if no one has read the body. */
  _dump(): void {
    this.discardBody();
  }

  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (chunk) {
      this.receivedBytes += chunk.length;
      this.#chunkCount += 1;
      if (this.#hasTinyChunks) {
        this.socket.destroy();
        return false;
      }
    }
    if (chunk && (this.#buffering || this.#isDiscarded)) {
      if (this.#buffering) this.#keepChunk(this.#buffering, chunk);
      else if (this.receivedBytes > MAX_DISCARDED_BYTES) this.socket.destroySoon();
      this.#yieldToOthers();
      return false;
    }
    if (!this.#buffering) return this.#pushAndCapture(chunk, encoding);
    this.#buffering.onComplete();
    return false;
  }

  get #hasTinyChunks(): boolean {
    return this.#chunkCount > MIN_CHUNKS && this.receivedBytes < this.#chunkCount * MIN_MEAN_BYTES;
  }

  /**
   * Continues reading in the next turn of the event loop. Otherwise Node reads up to 2 MB of each connection
   * in one turn, so that many large bodies block it for seconds.
   */
  #yieldToOthers(): void {
    if (this.#isResumeScheduled) return;
    this.#isResumeScheduled = true;
    setImmediate(() => {
      this.#isResumeScheduled = false;
      // Null if the connection has ended in the meantime.
      (this.socket as Socket | null)?.resume();
    });
  }

  #keepChunk({ maxBytes, onTooLarge }: BodyBuffering, chunk: Buffer): void {
    if (this.receivedBytes > maxBytes) onTooLarge();
    else this.#bufferedBody.append(chunk);
  }

  #pushAndCapture(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (chunk && this.#capturedBody) {
      this.#freeCaptureBytes -= chunk.length;
      if (this.#freeCaptureBytes < 0) this.#capturedBody = null;
      else this.#capturedBody.append(chunk);
    }
    return super.push(chunk, encoding);
  }
}

/** A response sent in place of the handler's. */
export interface Replacement {
  readonly status: number;
  readonly contentType: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Called with the handler's body when the handler ends its response. */
  readonly renderBody: (body: Buffer) => string | Buffer | Promise<string | Buffer>;
}

export interface ResponseHooks {
  /** Called once, just before the head is sent. May change headers; returns the status to send. */
  readonly beforeHead: (status: number) => number;
  /** Called until the head is sent; null keeps the handler's response. */
  readonly findReplacement: (status: number) => Replacement | null;
}

const REPLACED_HEADERS = /^(content-(type|length|encoding)|etag)$/;

/**
 * Intercepts the head of a response, replaces the response, and ignores writes after a final one.
 */
export class SiteResponse extends ServerResponse<SiteRequest> {
  hooks: ResponseHooks | null = null;
  #sentStatus: number | null = null;
  #replacement: Replacement | null = null;
  #replacedChunks: Buffer[] = [];
  #isFinal = false;

  /** The status on the wire; before that, the one the handler has set. */
  get sentStatus(): number {
    return this.#sentStatus ?? this.statusCode;
  }

  /**
   * Sends this response immediately and ignores the handler's later writes. Does nothing once a
   * head is sent.
   */
  sendFinal(status: number, headers: OutgoingHttpHeaders, body: string): void {
    if (this.headersSent) return;
    for (const name of this.getHeaderNames()) this.removeHeader(name);
    this.#sendHead(status, headers);
    super.end(body);
    this.#isFinal = true;
  }

  override writeHead(status: number, ...rest: unknown[]): this {
    if (this.#isFinal || this.#isReplaced(status)) return this;
    if (this.headersSent) return super.writeHead(status, ...(rest as [])); // throws Node's error
    return this.#sendHead(this.hooks?.beforeHead(status) ?? status, ...rest);
  }

  override write(...args: unknown[]): boolean {
    if (this.#isFinal) return true;
    if (!this.#isReplaced(this.statusCode)) return super.write(...(args as [string]));
    this.#keepChunk(args);
    return true;
  }

  override end(...args: unknown[]): this {
    if (this.#isFinal) return this;
    if (!this.#isReplaced(this.statusCode)) return super.end(...(args as []));
    const callback = args.find((arg) => typeof arg === "function") as (() => void) | undefined;
    if (callback) this.once("finish", callback);
    this.#keepChunk(args);
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

  #keepChunk([chunk, encoding]: readonly unknown[]): void {
    if (typeof chunk === "string")
      this.#replacedChunks.push(Buffer.from(chunk, encoding as BufferEncoding | undefined));
    else if (chunk instanceof Uint8Array) this.#replacedChunks.push(Buffer.from(chunk));
  }

  async #sendReplacement({ status, contentType, headers, renderBody }: Replacement): Promise<void> {
    const body = await renderBody(Buffer.concat(this.#replacedChunks.splice(0)));
    if (this.headersSent) return;
    for (const name of this.getHeaderNames())
      if (REPLACED_HEADERS.test(name)) this.removeHeader(name);
    this.setHeader("content-type", contentType);
    this.setHeader("cache-control", "private, no-store");
    this.#sendHead(this.hooks!.beforeHead(status), headers);
    super.end(body);
    this.#isFinal = true;
  }
}
