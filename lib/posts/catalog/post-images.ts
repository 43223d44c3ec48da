// Finds the files that a post mentions, and turns them into images to show.

import { posix } from "node:path";
import { isAppError } from "#lib/core/errors.ts";
import { type DescribedImage, describeImage, peekImage } from "#lib/posts/images/content-image.ts";
import type { Image, PostImages } from "#lib/posts/image.ts";
import {
  SERVED_EXTENSIONS,
  contentFileUrl,
  isImagePath,
  servedContentType,
} from "#lib/posts/source/content-file-response.ts";
import {
  type ContentFile,
  type ContentSource,
  MAX_FILE_BYTES,
  type PostFile,
  describeFileSize,
} from "#lib/posts/source/content-source.ts";
import type { PublicFiles } from "#lib/posts/source/public-files.ts";

/** A file that a post mentions. */
export interface FileReference {
  /** As the compiler looks it up: "./hero.png", "../shared/a.png", "/images/x.png". */
  readonly name: string;
  readonly file: ContentFile;
  /** 1-based line of the first mention. */
  readonly line: number;
}

export type FilesByPath = ReadonlyMap<string, ContentFile>;

export function indexByPath(files: readonly ContentFile[]): FilesByPath {
  return new Map(files.map((file) => [file.path, file]));
}

interface FileReaders {
  readonly source: ContentSource;
  readonly publicFiles: PublicFiles;
}

/** Longer paths are not looked up. */
const MAX_PATH_CHARS = 300;
const MENTION = new RegExp(`\\.(?:${SERVED_EXTENSIONS.join("|")})(?![\\w])`, "gi");
const BEFORE_PATH = /[\s"'`(<=[{,:]/;
const isPathStart = (text: string, index: number) =>
  index === 0 || BEFORE_PATH.test(text[index - 1]!);

/**
 * Returns the files that `text` mentions: in the post's folder, elsewhere in the content by a
 * relative path, and in public. Over-inclusive, since it does not parse the text.
 */
export async function findFileReferences(
  post: PostFile,
  text: string,
  filesByPath: FilesByPath,
  publicFiles: PublicFiles,
): Promise<FileReference[]> {
  const references = new Map<string, FileReference>();
  const folder = posix.dirname(post.path);
  const byName = groupByName(post.assets);
  const names = listNames(filesByPath);
  const addedNames = new Set<string>();
  for (const { line, head } of findMentions(text)) {
    const add = (name: string, file: ContentFile) => {
      if (!references.has(name)) references.set(name, { name, file, line });
    };
    for (const { start, path } of listSuffixes(head)) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      const files = byName.get(name);
      if (files && !addedNames.has(name)) {
        addedNames.add(name);
        for (const file of files) add(relativeName(folder, file.path), file);
      }
      if (!path.startsWith("/")) {
        if (!names.has(name)) continue;
        const file = filesByPath.get(posix.join(folder, path));
        if (file) add(relativeName(folder, file.path), file);
      } else if (isPathStart(head, start)) {
        const file = await publicFiles.find(path);
        if (file) add(path, file);
      }
    }
  }
  return [...references.values()];
}

function relativeName(folder: string, path: string): string {
  if (path.startsWith(`${folder}/`)) return `.${path.slice(folder.length)}`;
  const relative = posix.relative(folder, path);
  return relative.startsWith("../") ? relative : `./${relative}`;
}

/**
 * Yields the rest of the line before each served file extension, including it, and the number of
 * that line. Yields equal ones once.
 */
function* findMentions(text: string): Iterable<{ line: number; head: string }> {
  const heads = new Set<string>();
  let line = 1;
  let lineStart = 0;
  let lineEnd = text.indexOf("\n");
  for (const { index, 0: extension } of text.matchAll(MENTION)) {
    while (lineEnd !== -1 && lineEnd < index) {
      line += 1;
      lineStart = lineEnd + 1;
      lineEnd = text.indexOf("\n", lineStart);
    }
    const end = index + extension.length;
    const head = text.slice(Math.max(lineStart, end - MAX_PATH_CHARS), end).normalize("NFC");
    if (heads.has(head)) continue;
    heads.add(head);
    yield { line, head };
  }
}

/** Yields possible paths: every suffix of `head` that starts a name, as is and URL-decoded. */
function* listSuffixes(head: string): Iterable<{ start: number; path: string }> {
  const nameStart = head.lastIndexOf("/") + 1;
  for (let start = head.length - 1; start >= 0; start--) {
    const isPossible =
      start >= nameStart ||
      head[start] === "/" ||
      head.startsWith("../", start) ||
      isPathStart(head, start);
    if (!isPossible) continue;
    const path = head.slice(start);
    yield { start, path };
    if (!path.includes("%")) continue;
    try {
      yield { start, path: decodeURIComponent(path).normalize("NFC") };
    } catch {
      // Not URL-encoded.
    }
  }
}

const namesByFiles = new WeakMap<FilesByPath, ReadonlySet<string>>();

/** Returns the names of the content's files. Most suffixes end with none of them. */
function listNames(files: FilesByPath): ReadonlySet<string> {
  let names = namesByFiles.get(files);
  if (!names) {
    names = new Set([...files.keys()].map((path) => posix.basename(path)));
    namesByFiles.set(files, names);
  }
  return names;
}

const filesByName = new WeakMap<readonly ContentFile[], Map<string, ContentFile[]>>();

/** Posts of one folder share their list of files, so it is grouped once. */
function groupByName(files: readonly ContentFile[]): Map<string, ContentFile[]> {
  let byName = filesByName.get(files);
  if (byName) return byName;
  byName = new Map();
  for (const file of files) {
    const name = posix.basename(file.path).normalize("NFC");
    const sameName = byName.get(name);
    if (sameName) sameName.push(file);
    else byName.set(name, [file]);
  }
  filesByName.set(files, byName);
  return byName;
}

/**
 * Returns the images to show for `references`, and warnings "file:line: reason" for broken ones.
 * `isTemporary`: one of the warnings may be gone after IMAGE_RETRY_MS. Throws AppError(unavailable)
 * if a file can't be read now.
 */
export async function loadPostImages(
  post: PostFile,
  references: readonly FileReference[],
  readers: FileReaders,
): Promise<{ images: PostImages; warnings: string[]; isTemporary: boolean }> {
  const images: Record<string, Image | null> = {};
  const warnings: string[] = [];
  let isTemporary = false;
  for (const { name, file, line } of references) {
    const { image, problem, ...described } = await describeFile(file, readers);
    images[name] = image;
    isTemporary ||= described.isTemporary ?? false;
    if (problem !== undefined) warnings.push(`${post.path}:${line}: ${name}: ${problem}`);
  }
  return { images, warnings, isTemporary };
}

async function describeFile(file: ContentFile, readers: FileReaders): Promise<DescribedImage> {
  if (file.bytes > MAX_FILE_BYTES) return { image: null, problem: describeFileSize(file) };
  if (isImagePath(file.path)) return describeImage(toImageFile(file, readers));
  return { image: { src: contentFileUrl(file) } };
}

/**
 * Returns what is wrong with a file that no post mentions, for its author; undefined if it is
 * served, or can't be read now.
 */
export async function findFileProblem(
  file: ContentFile,
  readers: FileReaders,
): Promise<string | undefined> {
  if (servedContentType(file.path) === null) return undefined;
  try {
    return (await describeFile(file, readers)).problem;
  } catch (error) {
    if (isAppError(error, "unavailable")) return undefined;
    throw error;
  }
}

/** Returns the image at `name` if it has been measured before; else undefined. */
export function peekPostImage(
  name: string,
  references: readonly FileReference[],
  readers: FileReaders,
): Image | undefined {
  const reference = references.find((each) => each.name === name);
  if (!reference || !isImagePath(reference.file.path)) return undefined;
  return peekImage(toImageFile(reference.file, readers)) ?? undefined;
}

/** Returns the file with its reader. Paths of public files start with a slash. */
export function toImageFile(file: ContentFile, { source, publicFiles }: FileReaders) {
  return file.path.startsWith("/")
    ? {
        file,
        url: encodeURI(file.path).replace(/[?#]/g, encodeURIComponent),
        read: () => publicFiles.read(file),
      }
    : { file, url: contentFileUrl(file), read: () => source.readFile(file) };
}
