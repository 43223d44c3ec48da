// Reads and writes objects in an S3-compatible store, under one prefix of a bucket.

import { setTimeout as sleep } from "node:timers/promises";
import { type Credentials, signRequest } from "./sign-request.ts";

/** Thrown if the store can't be reached or refuses a request. */
export class ObjectStoreError extends Error {}

export interface StoredObject {
  /** Relative to the prefix. */
  readonly name: string;
  readonly bytes: number;
}

export interface ObjectStore {
  put(name: string, body: Buffer): Promise<void>;
  /** Returns null if there is no such object. */
  find(name: string): Promise<Buffer | null>;
  /** Returns the objects whose name starts with `prefix` and sorts after `after`, sorted. */
  list(prefix: string, after?: string): Promise<StoredObject[]>;
  /** Returns the folders directly in `folder`, sorted, without slashes. */
  listFolders(folder: string): Promise<string[]>;
  delete(name: string): Promise<void>;
}

export interface ObjectStoreOptions extends Credentials {
  /** Such as https://s3.eu-central-1.amazonaws.com. */
  readonly endpoint: string;
  /** The bucket, optionally followed by a slash and a prefix. */
  readonly bucket: string;
  /** Attempts of each request. Default 3. */
  readonly attempts?: number;
  readonly timeoutMs?: number;
}

/** Enough for the largest object at 2 Mbit/s. */
const TIMEOUT_MS = 60_000;
const RETRY_DELAY_MS = 500;
/** Larger than any object in a backup. */
const MAX_OBJECT_BYTES = 128 * 1_048_576;
const MAX_LISTED = 2_000_000;

/** The methods throw ObjectStoreError, which contains the store's host and its response. */
export function openObjectStore(options: ObjectStoreOptions): ObjectStore {
  const { attempts = 3, timeoutMs = TIMEOUT_MS } = options;
  const [bucket = "", ...rest] = options.bucket.split("/").filter(Boolean);
  const prefix = rest.map((part) => `${part}/`).join("");
  const root = `${options.endpoint.replace(/\/+$/, "")}/${bucket}`;

  const attempt = (method: string, url: URL, body?: Buffer): Promise<Response> =>
    fetch(url, {
      method,
      headers: signRequest({ method, url, ...(body && { body }) }, options, new Date()),
      ...(body && { body: body as Uint8Array<ArrayBuffer> }),
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });

  /** Returns the status and the body. Retries network errors, 429 and 5xx. */
  async function request(
    method: string,
    url: URL,
    body?: Buffer,
  ): Promise<{ status: number; content: Buffer }> {
    for (let count = 1; ; count += 1) {
      let problem: string;
      try {
        const response = await attempt(method, url, body);
        const content = await readBody(response);
        if (response.status < 300 || response.status === 404)
          return { status: response.status, content };
        problem = `${response.status} ${/<Code>(\w+)<\/Code>/.exec(content.toString("latin1"))?.[1] ?? ""}`;
        if (response.status < 500 && response.status !== 429) count = attempts;
      } catch (error) {
        const { message, cause } = error as Error;
        problem = cause instanceof Error ? cause.message || String(cause) : message;
      }
      if (count >= attempts)
        throw new ObjectStoreError(
          `The object store at ${url.host} failed: ${method} ${url.pathname}: ${problem.trim()}`,
        );
      await sleep(RETRY_DELAY_MS * 2 ** count);
    }
  }

  async function fetchList(query: Record<string, string>): Promise<string[]> {
    const pages: string[] = [];
    let token: string | undefined;
    for (let listed = 0; listed < MAX_LISTED; listed += 1_000) {
      const url = new URL(root);
      url.search = encodeQuery({
        "list-type": "2",
        ...query,
        ...(token && { "continuation-token": token }),
      });
      const { status, content } = await request("GET", url);
      if (status === 404)
        throw new ObjectStoreError(`The bucket ${bucket} does not exist at ${url.host}`);
      const xml = content.toString("utf8");
      pages.push(xml);
      token = readTag(xml, "NextContinuationToken");
      if (readTag(xml, "IsTruncated") !== "true" || !token) return pages;
    }
    throw new ObjectStoreError(`The bucket ${bucket} has more than ${MAX_LISTED} objects`);
  }

  const objectUrl = (name: string) => new URL(`${root}/${prefix}${name}`);
  return {
    async put(name, body) {
      const { status } = await request("PUT", objectUrl(name), body);
      if (status === 404) throw new ObjectStoreError(`The bucket ${bucket} does not exist`);
    },
    async find(name) {
      const { status, content } = await request("GET", objectUrl(name));
      return status === 404 ? null : content;
    },
    async list(from, after) {
      const pages = await fetchList({
        prefix: prefix + from,
        ...(after && { "start-after": prefix + after }),
      });
      return pages
        .flatMap((xml) => [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)])
        .map(([, entry = ""]) => ({
          name: (readTag(entry, "Key") ?? "").slice(prefix.length),
          bytes: Number(readTag(entry, "Size")),
        }))
        .filter(({ name }) => !after || name > after)
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async listFolders(folder) {
      const pages = await fetchList({ prefix: `${prefix}${folder}/`, delimiter: "/" });
      return pages
        .flatMap((xml) => [...xml.matchAll(/<CommonPrefixes>(.*?)<\/CommonPrefixes>/gs)])
        .map(([, entry = ""]) =>
          (readTag(entry, "Prefix") ?? "").slice(prefix.length + folder.length + 1, -1),
        )
        .sort();
    },
    async delete(name) {
      await request("DELETE", objectUrl(name));
    },
  };
}

const encodeQuery = (query: Record<string, string>): string =>
  Object.entries(query)
    .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
    .join("&");

/** Names contain only characters that XML doesn't escape. */
const readTag = (xml: string, tag: string): string | undefined =>
  new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1];

async function readBody(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    const part = chunk as Uint8Array;
    bytes += part.length;
    if (bytes > MAX_OBJECT_BYTES) throw new Error("the response is too large");
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}
