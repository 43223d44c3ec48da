// Reads content from a branch of a repository on a Git host.

import { z } from "zod";
import { DAY_MS } from "#lib/core/clock.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { defineCache } from "#lib/cache/define-cache.ts";
import {
  type ContentFile,
  type ContentSource,
  MAX_FILES,
  MAX_FILE_BYTES,
  assertFileSize,
  gitBlobSha,
  isContentPath,
} from "./content-source.ts";
import { type GitHostClient, type GitHostStatus, createGitHostClient } from "./git-host-client.ts";

export interface GitSourceOptions {
  readonly api: string;
  /** 'owner/name'. */
  readonly repository: string;
  readonly branch: string;
  /** The content root in the repository; '' for the repository's root. */
  readonly path: string;
  readonly token?: string;
}

export interface GitSource extends ContentSource {
  readonly kind: "git";
  getHostStatus(): GitHostStatus;
}

const commitSha = z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/);
const refResponse = z.object({ object: z.object({ sha: commitSha }) });
const treeResponse = z.object({
  truncated: z.boolean().optional(),
  tree: z.array(
    z.object({
      path: z.string(),
      mode: z.string(),
      type: z.string(),
      sha: commitSha,
      size: z.number().optional(),
    }),
  ),
});
const commitsResponse = z.array(
  z.object({
    commit: z.object({ committer: z.object({ date: z.iso.datetime({ offset: true }) }) }),
  }),
);
const blobResponse = z.object({ encoding: z.literal("base64"), content: z.string() });

/** Commits and blobs are immutable. The TTL only removes old ones from the cache file. */
const CACHE_TTL_MS = 90 * DAY_MS;
/** Longer than the timeouts of the few requests that a listing makes. */
const LIST_TIMEOUT_MS = 60_000;
const READ_TIMEOUT_MS = 15_000;
/** Regular files. Submodules (160000) are not content. */
const FILE_MODES = new Set(["100644", "100755"]);
const LINK_MODE = "120000";

interface ContentTree {
  readonly files: readonly ContentFile[];
  /** Paths of symbolic links. */
  readonly links: readonly string[];
}

interface TreeInput {
  readonly host: GitHostClient;
  readonly repository: string;
  readonly path: string;
  readonly version: string;
}

/**
 * Caches listings in the cache file, so that posts are available after a restart even if the host
 * is down.
 */
const treeCache = defineCache<TreeInput, ContentTree>({
  name: "content.tree",
  version: 4,
  keyOf: ({ repository, path, version }) => `${repository}:${path}:${version}`,
  schema: z.object({
    files: z.array(z.object({ path: z.string(), blobSha: z.string(), bytes: z.number() })),
    links: z.array(z.string()),
  }),
  ttlMs: CACHE_TTL_MS,
  timeoutMs: LIST_TIMEOUT_MS,
  produce: listTree,
});

/** Caches Base64 by blob SHA. Content-addressed, so all sources share it. */
const blobCache = defineCache<
  { host: GitHostClient; repository: string; file: ContentFile },
  string
>({
  name: "content.blob",
  version: 1,
  keyOf: ({ file }) => file.blobSha,
  schema: z.string(),
  ttlMs: CACHE_TTL_MS,
  timeoutMs: READ_TIMEOUT_MS,
  async produce({ host, repository, file }) {
    const response = blobResponse.safeParse(
      await host.getJson(`/repos/${repository}/git/blobs/${file.blobSha}`, {
        maxBytes: MAX_FILE_BYTES * 1.5,
      }),
    );
    if (!response.success)
      throw new AppError("unavailable", `The Git host's response for ${file.path} is not a file.`);
    const bytes = Buffer.from(response.data.content, "base64");
    if (gitBlobSha(bytes) !== file.blobSha)
      throw new AppError(
        "unavailable",
        `The Git host's bytes for ${file.path} do not match their SHA.`,
      );
    return bytes.toString("base64");
  },
});

const CHUNK_BYTES = 65_536;
/**
 * Files that are being sent, by blob SHA. Readers of a file share one copy, so that many slow ones
 * can't fill the memory.
 */
const openBlobs = new Map<string, WeakRef<Uint8Array>>();

/**
 * Returns a stream of the bytes from `start` to `end`, inclusive. Chunks are copies, so a chunk that
 * waits in a socket doesn't retain the file.
 */
function streamBytes(bytes: Uint8Array, start: number, end: number): ReadableStream<Uint8Array> {
  let position = start;
  return new ReadableStream(
    {
      pull(controller) {
        if (position > end) return controller.close();
        const chunk = bytes.slice(position, Math.min(position + CHUNK_BYTES, end + 1));
        position += chunk.length;
        controller.enqueue(chunk);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Returns the content below `path` on `branch`. Its versions are commit SHAs. */
export function createGitSource({
  api,
  repository,
  branch,
  path,
  token,
}: GitSourceOptions): GitSource {
  const host = createGitHostClient({ api: api.replace(/\/+$/, ""), token });
  const folder = path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");

  async function readBlob(file: ContentFile): Promise<Buffer<ArrayBuffer>> {
    if (!isContentPath(file.path))
      throw new AppError("not_found", `${file.path} is not a file of the content.`);
    assertFileSize(file);
    return Buffer.from(await blobCache.get({ host, repository, file }), "base64");
  }

  async function shareBlob(file: ContentFile): Promise<Uint8Array> {
    const findOpen = () => openBlobs.get(file.blobSha)?.deref();
    const open = findOpen();
    if (open) return open;
    const { buffer, byteOffset, byteLength } = await readBlob(file);
    const bytes = new Uint8Array(buffer, byteOffset, byteLength); // its slice() copies, a Buffer's doesn't
    // Another request may have read it in the meantime.
    const current = findOpen() ?? bytes;
    openBlobs.set(file.blobSha, new WeakRef(current));
    return current;
  }

  async function getTree(version: string): Promise<ContentTree> {
    if (!commitSha.safeParse(version).success)
      throw new AppError("not_found", `${version} is not a commit.`);
    return treeCache.get({ host, repository, path: folder, version });
  }

  return {
    kind: "git",
    getHostStatus: () => host.getStatus(),
    async getHead() {
      const ref = `/repos/${repository}/git/ref/heads/${branch.split("/").map(encodeURIComponent).join("/")}`;
      try {
        const response = refResponse.safeParse(await host.getJson(ref, { conditional: true }));
        if (response.success) return response.data.object.sha;
      } catch (error) {
        if (isAppError(error, "not_found"))
          throw new AppError(
            "unavailable",
            `The repository ${repository} has no branch ${branch}, or the token may not see it.`,
            { cause: error },
          );
        throw error;
      }
      throw new AppError(
        "unavailable",
        `The Git host's response for the branch ${branch} is invalid.`,
      );
    },
    listFiles: async (version) => (await getTree(version)).files,
    listLinks: async (version) => (await getTree(version)).links,
    readFile: readBlob,
    async openFile(file, start, end) {
      return streamBytes(await shareBlob(file), start, end);
    },
    async findLastChanges(files, version) {
      const changedMsByPath = new Map<string, number>();
      for (const file of files) {
        const query = new URLSearchParams({
          sha: version,
          path: folder === "" ? file.path : `${folder}/${file.path}`,
          per_page: "2",
        });
        const response = commitsResponse.safeParse(
          await host.getJson(`/repos/${repository}/commits?${query}`),
        );
        // A file's only commit is the one that added it.
        if (response.success && response.data.length > 1)
          changedMsByPath.set(file.path, Date.parse(response.data[0]!.commit.committer.date));
      }
      return changedMsByPath;
    },
  };
}

async function listTree({ host, repository, path, version }: TreeInput): Promise<ContentTree> {
  const getTree = async (sha: string, query = "") => {
    const response = treeResponse.safeParse(
      await host.getJson(`/repos/${repository}/git/trees/${sha}${query}`),
    );
    if (!response.success)
      throw new AppError("unavailable", `The Git host's list of ${version} is invalid.`);
    return response.data;
  };
  let treeSha = version;
  // Descends to the content level by level: a listing of the whole repository can be too large for
  // a response.
  for (const part of path === "" ? [] : path.split("/")) {
    const next = (await getTree(treeSha)).tree.find(
      (entry) => entry.path === part && entry.type === "tree",
    );
    if (!next)
      throw new AppError(
        "not_found",
        `The version ${version} of ${repository} has no folder ${path}.`,
      );
    treeSha = next.sha;
  }
  const { tree: entries, truncated } = await getTree(treeSha, "?recursive=1");
  if (truncated || entries.length > MAX_FILES)
    throw new AppError(
      "unavailable",
      `${repository} has too many files below ${path || "its root"} to be listed.`,
    );
  const content = entries
    .filter((entry) => entry.type === "blob" && isContentPath(entry.path))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    files: content
      .filter(({ mode }) => FILE_MODES.has(mode))
      .map(({ path: file, sha, size }) => ({ path: file, blobSha: sha, bytes: size ?? 0 })),
    links: content.filter(({ mode }) => mode === LINK_MODE).map(({ path: link }) => link),
  };
}
