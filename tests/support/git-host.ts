// Starts a fake of GitHub's API for refs, trees and blobs over real HTTP, with rate limits and
// outages on demand.

import { createHash, createHmac } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

export type GitHostMode =
  | "ok"
  /** 403 with x-ratelimit-remaining 0 and a reset `resetInSeconds` from now. */
  | "rate-limit"
  /** 429 with retry-after. */
  | "secondary-limit"
  /** 502 with an HTML page. */
  | "outage"
  /** Never responds. */
  | "hang"
  /** 200 with invalid JSON. */
  | "garbage";

export interface TestGitHost {
  /** The value for CONTENT_GIT_API. */
  readonly api: string;
  /** 'host:port', the value for FETCH_ALLOW_PRIVATE. */
  readonly address: string;
  readonly repository: string;
  mode: GitHostMode;
  resetInSeconds: number;
  /** Responds as a host without an API for commits. */
  isHistoryMissing: boolean;
  /** Requested paths, oldest first. " 304" is appended if the response was 304. */
  readonly requests: string[];
  /**
   * Commits `files` (content by repository path) and moves `branch` to the commit. Returns its
   * hash.
   */
  commit(files: Record<string, string | Uint8Array>, branch?: string, committedAt?: string): string;
  /** Returns the webhook that GitHub sends for a push. */
  makePushWebhook(
    secret: string,
    after: string,
    options?: { branch?: string; deleted?: boolean },
  ): { body: string; headers: Record<string, string> };
  close(): Promise<void>;
}

interface TreeEntry {
  readonly path: string;
  readonly mode: string;
  readonly type: "blob" | "tree";
  readonly sha: string;
  readonly size?: number;
}

const sha1 = (...parts: (string | Uint8Array)[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash("sha1")).digest("hex");

/** Returns the X-Hub-Signature-256 of `body`. */
export function signWebhook(secret: string, body: string | Uint8Array): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

/** Returns every file below `dir` by its path below `prefix`, as the input of commit(). */
export function readFilesBelow(dir: string, prefix: string): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = `${prefix}/${entry.name}`;
    if (entry.isDirectory()) Object.assign(files, readFilesBelow(join(dir, entry.name), path));
    else if (entry.isFile()) files[path] = readFileSync(join(dir, entry.name));
  }
  return files;
}

/**
 * Starts the host on 127.0.0.1. With `token`, requests without it get 404, as for a private
 * repository on GitHub.
 */
export async function startGitHost({
  repository = "ada/site",
  token,
}: { repository?: string; token?: string } = {}): Promise<TestGitHost> {
  const branches = new Map<string, string>();
  const trees = new Map<string, TreeEntry[]>();
  const blobs = new Map<string, Uint8Array>();
  const commits = new Map<string, { readonly parent?: string; readonly date: string }>();

  function store(files: Map<string, Uint8Array>): string {
    const entries: TreeEntry[] = [];
    const folders = new Map<string, Map<string, Uint8Array>>();
    for (const [path, bytes] of files) {
      const [first, ...rest] = path.split("/") as [string, ...string[]];
      if (rest.length === 0) {
        const sha = sha1(`blob ${bytes.byteLength}\0`, bytes);
        blobs.set(sha, bytes);
        entries.push({
          path: first,
          mode: path.endsWith(".link") ? "120000" : "100644",
          type: "blob",
          sha,
          size: bytes.byteLength,
        });
      } else {
        const folder = folders.get(first) ?? new Map<string, Uint8Array>();
        folder.set(rest.join("/"), bytes);
        folders.set(first, folder);
      }
    }
    for (const [path, folder] of folders)
      entries.push({ path, mode: "040000", type: "tree", sha: store(folder) });
    entries.sort((a, b) => (a.path < b.path ? -1 : 1));
    const sha = sha1("tree", JSON.stringify(entries));
    trees.set(sha, entries);
    return sha;
  }

  function flatten(sha: string, prefix = ""): TreeEntry[] {
    return (trees.get(sha) ?? []).flatMap((entry) => {
      const entryWithPath = { ...entry, path: prefix + entry.path };
      return entry.type === "tree"
        ? [entryWithPath, ...flatten(entry.sha, `${entryWithPath.path}/`)]
        : [entryWithPath];
    });
  }

  function listCommits(query: URLSearchParams): unknown[] {
    const path = query.get("path");
    const blobAt = (sha: string | undefined) =>
      sha === undefined ? undefined : flatten(sha).find((entry) => entry.path === path)?.sha;
    const found: unknown[] = [];
    let sha = query.get("sha") ?? undefined;
    while (sha !== undefined && found.length < Number(query.get("per_page"))) {
      const { parent, date }: { parent?: string; date: string } = commits.get(sha)!;
      if (blobAt(sha) !== blobAt(parent)) found.push({ sha, commit: { committer: { date } } });
      sha = parent;
    }
    return found;
  }

  function answer(path: string, query: URLSearchParams): unknown {
    if (path === `/repos/${repository}/commits`)
      return host.isHistoryMissing ? undefined : listCommits(query);
    const base = `/repos/${repository}/git/`;
    if (!path.startsWith(base)) return undefined;
    const [kind, ...rest] = path.slice(base.length).split("/").map(decodeURIComponent);
    const name = rest.join("/");
    if (kind === "ref") {
      const sha = branches.get(name.replace(/^heads\//, ""));
      return sha && { ref: `refs/${name}`, object: { type: "commit", sha } };
    }
    if (kind === "trees") {
      const tree = trees.get(name);
      return (
        tree && {
          sha: name,
          truncated: false,
          tree: query.get("recursive") === "1" ? flatten(name) : tree,
        }
      );
    }
    const bytes = kind === "blobs" ? blobs.get(name) : undefined;
    // GitHub breaks base64 into lines.
    return (
      bytes && {
        sha: name,
        size: bytes.byteLength,
        encoding: "base64",
        content: Buffer.from(bytes).toString("base64").replace(/.{60}/g, "$&\n"),
      }
    );
  }

  function json(
    response: ServerResponse,
    status: number,
    data: unknown,
    headers: Record<string, string> = {},
  ): void {
    response
      .writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers })
      .end(JSON.stringify(data));
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://host");
    host.requests.push(url.pathname + url.search);
    if (host.mode === "hang") return;
    if (host.mode === "rate-limit") {
      const reset = String(Math.ceil(Date.now() / 1_000) + host.resetInSeconds);
      return json(
        response,
        403,
        { message: "API rate limit exceeded for 127.0.0.1." },
        { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset },
      );
    }
    if (host.mode === "secondary-limit")
      return json(
        response,
        429,
        { message: "You have exceeded a secondary rate limit." },
        { "retry-after": String(host.resetInSeconds) },
      );
    if (host.mode === "outage")
      return void response.writeHead(502, { "content-type": "text/html" }).end("<h1>Unicorn!</h1>");
    if (host.mode === "garbage")
      return void response.writeHead(200, { "content-type": "application/json" }).end("{");
    if (token && request.headers.authorization !== `Bearer ${token}`)
      return json(response, 404, { message: "Not Found" });
    const data = answer(url.pathname, url.searchParams);
    if (!data) return json(response, 404, { message: "Not Found" });
    const etag = `"${sha1(JSON.stringify(data))}"`;
    if (request.headers["if-none-match"] === etag) {
      host.requests[host.requests.length - 1] += " 304";
      return void response.writeHead(304, { etag }).end();
    }
    json(response, 200, data, { etag });
  }

  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const host: TestGitHost = {
    api: `http://${address}`,
    address,
    repository,
    mode: "ok",
    resetInSeconds: 60,
    isHistoryMissing: false,
    requests: [],
    commit(files, branch = "main", committedAt = new Date().toISOString()) {
      const root = store(
        new Map(
          Object.entries(files).map(([path, content]) => [
            path,
            typeof content === "string" ? Buffer.from(content) : content,
          ]),
        ),
      );
      const sha = sha1(`commit ${commits.size}`, root, branch);
      commits.set(sha, { parent: branches.get(branch), date: committedAt });
      trees.set(sha, trees.get(root)!);
      branches.set(branch, sha);
      return sha;
    },
    makePushWebhook(secret, after, { branch = "main", deleted = false } = {}) {
      const body = JSON.stringify({
        ref: `refs/heads/${branch}`,
        after,
        deleted,
        repository: { full_name: repository },
      });
      return {
        body,
        headers: {
          "content-type": "application/json",
          "x-github-event": "push",
          "x-hub-signature-256": signWebhook(secret, body),
        },
      };
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return host;
}
