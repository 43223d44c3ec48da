// Content from a branch of a repository on a Git host.

import { z } from "zod";
import { DAY_MS } from "#lib/core/clock.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { defineCache } from "#lib/cache/define-cache.ts";
import {
  type ContentFile,
  type ContentSource,
  MAX_FILES,
  MAX_FILE_BYTES,
  gitBlobSha,
  isContentPath,
} from "./content-source.ts";
import { type GitHostClient, type GitHostStatus, createGitHostClient } from "./git-host-client.ts";

export interface GitSourceOptions {
  readonly api: string;
  /** 'owner/name'. */
  readonly repository: string;
  readonly branch: string;
  /** The content root in the repository; '' for the repository's own. */
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
const blobResponse = z.object({ encoding: z.literal("base64"), content: z.string() });

/** What a commit or a blob holds never changes; the time only lets old ones leave the cache file. */
const CACHE_TTL_MS = 90 * DAY_MS;
/** Longer than the host's own deadline for each of the few requests behind one listing. */
const LIST_TIMEOUT_MS = 60_000;
const READ_TIMEOUT_MS = 15_000;
/** Regular files; symbolic links (120000) and submodules (160000) are not content. */
const FILE_MODES = new Set(["100644", "100755"]);

interface TreeInput {
  readonly host: GitHostClient;
  readonly repository: string;
  readonly path: string;
  readonly version: string;
}

/** In the cache file, so that a restart while the host is down finds the posts. */
const treeCache = defineCache<TreeInput, ContentFile[]>({
  name: "content.tree",
  version: 1,
  keyOf: ({ repository, path, version }) => `${repository}:${path}:${version}`,
  schema: z.array(z.object({ path: z.string(), blob: z.string(), bytes: z.number() })),
  ttlMs: CACHE_TTL_MS,
  timeoutMs: LIST_TIMEOUT_MS,
  produce: listTree,
});

/** Base64, by Git's name of the bytes: the same whoever asks and from wherever it came. */
const blobCache = defineCache<
  { host: GitHostClient; repository: string; file: ContentFile },
  string
>({
  name: "content.blob",
  version: 1,
  keyOf: ({ file }) => file.blob,
  schema: z.string(),
  ttlMs: CACHE_TTL_MS,
  timeoutMs: READ_TIMEOUT_MS,
  async produce({ host, repository, file }) {
    const answer = blobResponse.safeParse(
      await host.getJson(`/repos/${repository}/git/blobs/${file.blob}`, {
        maxBytes: MAX_FILE_BYTES * 1.5,
      }),
    );
    if (!answer.success)
      throw new AppError("unavailable", `The Git host's answer for ${file.path} is not a file.`);
    const bytes = Buffer.from(answer.data.content, "base64");
    if (gitBlobSha(bytes) !== file.blob)
      throw new AppError(
        "unavailable",
        `The Git host gave other bytes for ${file.path} than its name says.`,
      );
    return bytes.toString("base64");
  },
});

/** Content below `path` of `branch`. Its versions are names of commits. */
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
  return {
    kind: "git",
    getHostStatus: () => host.getStatus(),
    async getHead() {
      const ref = `/repos/${repository}/git/ref/heads/${branch.split("/").map(encodeURIComponent).join("/")}`;
      try {
        const answer = refResponse.safeParse(await host.getJson(ref, { conditional: true }));
        if (answer.success) return answer.data.object.sha;
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
        `The Git host's answer for the branch ${branch} can't be understood.`,
      );
    },
    async listFiles(version) {
      if (!commitSha.safeParse(version).success)
        throw new AppError("not_found", `${version} is not a commit.`);
      return treeCache.get({ host, repository, path: folder, version });
    },
    async readFile(file) {
      if (!isContentPath(file.path))
        throw new AppError("not_found", `${file.path} is not a file of the content.`);
      if (file.bytes > MAX_FILE_BYTES)
        throw new AppError("too_large", `${file.path} is larger than ${MAX_FILE_BYTES} bytes.`);
      return Buffer.from(await blobCache.get({ host, repository, file }), "base64");
    },
  };
}

async function listTree({ host, repository, path, version }: TreeInput): Promise<ContentFile[]> {
  const tree = async (name: string, query = "") => {
    const answer = treeResponse.safeParse(
      await host.getJson(`/repos/${repository}/git/trees/${name}${query}`),
    );
    if (!answer.success)
      throw new AppError("unavailable", `The Git host's list of ${version} can't be understood.`);
    return answer.data;
  };
  let name = version;
  // Level by level down to the content: listing a whole repository at once can be too long for one answer.
  for (const part of path === "" ? [] : path.split("/")) {
    const next = (await tree(name)).tree.find(
      (entry) => entry.path === part && entry.type === "tree",
    );
    if (!next)
      throw new AppError(
        "not_found",
        `The version ${version} of ${repository} has no folder ${path}.`,
      );
    name = next.sha;
  }
  const { tree: entries, truncated } = await tree(name, "?recursive=1");
  if (truncated || entries.length > MAX_FILES)
    throw new AppError(
      "unavailable",
      `${repository} has too many files below ${path || "its root"} to be listed.`,
    );
  return entries
    .filter(
      (entry) => entry.type === "blob" && FILE_MODES.has(entry.mode) && isContentPath(entry.path),
    )
    .map(({ path: file, sha, size }) => ({ path: file, blob: sha, bytes: size ?? 0 }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}
