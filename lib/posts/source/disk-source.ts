// Reads content from a folder on disk.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { forEachConcurrently } from "#lib/core/for-each-concurrently.ts";
import {
  type ContentFile,
  type ContentSource,
  MAX_FILES,
  MAX_FILE_BYTES,
  REDIRECTS_FILE,
  assertFileSize,
  gitBlobSha,
  isContentPath,
} from "./content-source.ts";
import { readGitHistory } from "./git-history.ts";

/** Enough to keep Node's four threads for file access busy. */
const SCAN_CONCURRENCY = 16;

interface ScannedFile {
  readonly stamp: string;
  readonly file: ContentFile;
}

/**
 * Returns the content below `dir`: blog/ and pages/, without symbolic links. Its version is "disk-"
 * and a hash of all files. getHead() checks names, sizes and times at most every `recheckMs`, and
 * reads only changed files. With `mountAt`, `dir` itself is that folder: 'blog'.
 */
export function createDiskSource({
  dir,
  recheckMs,
  mountAt,
}: {
  dir: string;
  recheckMs: number;
  mountAt?: "blog";
}): ContentSource {
  const toDisk = (path: string) => join(resolve(dir), path.slice(mountAt?.length ?? 0));
  let scannedFiles = new Map<string, ScannedFile>();
  let version: string | undefined;
  let scannedAtMs = Number.NEGATIVE_INFINITY;
  let scanning: Promise<string> | undefined;
  /** The newest versions, because a build may end after the next version has appeared. */
  const filesByVersion = new Map<string, readonly ContentFile[]>();
  let links: readonly string[] = [];

  /** Returns what an earlier scan found if the file has not changed since. */
  async function scanFile(path: string): Promise<ScannedFile> {
    const full = toDisk(path);
    const stamp = await readStamp(full).catch(() => throwChangedOnDisk(path));
    const previous = scannedFiles.get(path);
    if (previous?.stamp === stamp) return previous;
    const bytes = Number(stamp.split(" ")[0]);
    // A file that is too large is identified by size and time, and rejected when read.
    const blobSha =
      bytes > MAX_FILE_BYTES
        ? createHash("sha1").update(stamp).digest("hex")
        : gitBlobSha(await readFile(full).catch(() => throwChangedOnDisk(path)));
    return { stamp, file: { path, blobSha, bytes } };
  }

  async function scan(): Promise<string> {
    const found: string[] = [];
    const paths = await listContentPaths(
      toDisk,
      mountAt ?? "",
      mountAt === undefined ? 0 : 1,
      found,
    );
    const scanned = new Map<string, ScannedFile>();
    await forEachConcurrently(paths, SCAN_CONCURRENCY, async (path) => {
      scanned.set(path, await scanFile(path));
    });
    scannedFiles = scanned;
    links = found;
    const files = paths.map((path) => scanned.get(path)!.file);
    const hash = createHash("sha256");
    for (const { path, blobSha } of files) hash.update(`${path}\0${blobSha}\n`);
    version = `disk-${hash.digest("hex").slice(0, 32)}`;
    filesByVersion.delete(version);
    filesByVersion.set(version, files);
    for (const old of [...filesByVersion.keys()].slice(0, -4)) filesByVersion.delete(old);
    scannedAtMs = nowMs();
    return version;
  }

  return {
    kind: "disk",
    async getHead() {
      if (version !== undefined && nowMs() - scannedAtMs < recheckMs) return version;
      scanning ??= scan().finally(() => (scanning = undefined));
      return scanning;
    },
    async listFiles(requested) {
      const files = filesByVersion.get(requested);
      if (!files)
        throw new AppError(
          "not_found",
          `This disk does not have the content version ${requested}.`,
        );
      return files;
    },
    listLinks: () => Promise.resolve(links),
    async readFile(file) {
      if (!isContentPath(file.path))
        throw new AppError("not_found", `${file.path} is not a file of the content.`);
      assertFileSize(file);
      const bytes = await readFile(toDisk(file.path)).catch(() => throwChangedOnDisk(file.path));
      if (gitBlobSha(bytes) !== file.blobSha) throwChangedOnDisk(file.path);
      return bytes;
    },
    async openFile(file, start, end) {
      assertFileSize(file);
      const scanned = scannedFiles.get(file.path);
      const full = toDisk(file.path);
      const isUnchanged =
        scanned?.file.blobSha === file.blobSha &&
        scanned.stamp === (await readStamp(full).catch(() => ""));
      if (!isUnchanged) throwChangedOnDisk(file.path);
      return Readable.toWeb(createReadStream(full, { start, end })) as ReadableStream<Uint8Array>;
    },
    findLastChanges: (files) => readGitHistory(toDisk(mountAt ?? ""), files, mountAt),
  };
}

/** Returns size, times and inode, which change when a file is replaced. */
async function readStamp(path: string): Promise<string> {
  const { size, mtimeMs, ctimeMs, ino } = await stat(path);
  return `${size} ${mtimeMs} ${ctimeMs} ${ino}`;
}

/**
 * Throws for a file that changed or was deleted during a scan. The next scan will see its new
 * state.
 */
function throwChangedOnDisk(path: string): never {
  throw new AppError("unavailable", `${path} changed on disk while it was read.`, {
    retryAfterSeconds: 1,
  });
}

/** Returns the paths of files, and adds those of symbolic links to `links`. */
async function listContentPaths(
  toDisk: (path: string) => string,
  folder: string,
  depth: number,
  links: string[],
): Promise<string[]> {
  if (depth > 8) return [];
  const entries = await readdir(toDisk(folder), { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" && depth > 0) return [];
      throw new AppError(
        "unavailable",
        `The content folder ${toDisk(folder)} can't be read: ${error.code}.`,
        { cause: error },
      );
    },
  );
  const paths: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isSymbolicLink() && (isContentPath(path) || isContentPath(`${path}/x`)))
      links.push(path);
    else if (path === REDIRECTS_FILE ? !entry.isFile() : depth > 0 && !isContentPath(path))
      continue;
    else if (entry.isDirectory() && (depth > 0 || isContentPath(`${path}/x`)))
      paths.push(...(await listContentPaths(toDisk, path, depth + 1, links)));
    else if (entry.isFile() && (depth > 0 || path === REDIRECTS_FILE)) paths.push(path);
    if (paths.length > MAX_FILES)
      throw new AppError(
        "unavailable",
        `The content folder ${toDisk("")} has more than ${MAX_FILES} files.`,
      );
  }
  return paths;
}
