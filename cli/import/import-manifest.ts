// Records what an import wrote, so that the next import updates only files that no one has edited.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { ExportError } from "./exported-site.ts";
import { writeAtomically } from "./write-atomically.ts";

/** Content files that start with a dot are never served. */
const MANIFEST_FILE = ".import.json";

const manifestSchema = z.object({
  /** By path below the content folder. `source` identifies the post in the export. */
  files: z.record(z.string(), z.object({ source: z.string(), sha256: z.string() })),
  /** Names of downloaded files by URL, by the folder of their post. */
  assets: z.record(z.string(), z.record(z.string(), z.string())),
});

export type WriteResult = "written" | "updated" | "unchanged" | KeptReason;

type KeptReason =
  /** Someone edited the file since the last import. */
  | "edited"
  /** Someone deleted the file since the last import. */
  | "deleted"
  /** The file, or another one with its slug, is not from this post. */
  | "foreign";

export type ImportManifest = ReturnType<typeof openManifest>;

/** `root` is the content folder. With `isDryRun`, nothing is written. */
export function openManifest(root: string, { isDryRun }: { isDryRun: boolean }) {
  const manifestPath = join(root, MANIFEST_FILE);
  const { files, assets } = readManifest(manifestPath);

  /** Returns why the import must not change the file, or null. */
  function findKeptReason(path: string, source: string): KeptReason | null {
    const full = join(root, path);
    const record = Object.hasOwn(files, path) ? files[path] : undefined;
    if (!existsSync(full)) {
      if (record?.source === source) return "deleted";
      return listSpellings(path).some((each) => existsSync(join(root, each))) ? "foreign" : null;
    }
    if (record?.source !== source) return "foreign";
    return sha256(readFileSync(full, "utf8")) === record.sha256 ? null : "edited";
  }

  function compare(path: string, source: string, text: string): WriteResult {
    const full = join(root, path);
    const isNew = !existsSync(full);
    if (!isNew && readFileSync(full, "utf8") === text) return "unchanged";
    return findKeptReason(path, source) ?? (isNew ? "written" : "updated");
  }

  return {
    findKeptReason,
    /** Returns the path that an earlier import gave to this post, or null. */
    findPath: (source: string): string | null =>
      Object.entries(files).find(([, record]) => record.source === source)?.[0] ?? null,
    /** Writes the file unless someone else did, and returns what happened. */
    writeFile(path: string, source: string, text: string): WriteResult {
      const result = compare(path, source, text);
      if (result === "edited" || result === "deleted" || result === "foreign") return result;
      if (!isDryRun && result !== "unchanged") writeAtomically(join(root, path), text);
      files[path] = { source, sha256: sha256(text) };
      return result;
    },
    /** Returns the name of the downloaded file, or null if it has not been downloaded. */
    findAsset(folder: string, url: string): string | null {
      const name = Object.hasOwn(assets, folder) ? assets[folder]![url] : undefined;
      return name !== undefined && existsSync(join(root, folder, name)) ? name : null;
    },
    /** Writes a downloaded file under a free name like `wanted`, and returns the name. */
    addAsset(folder: string, url: string, wanted: string, bytes: Uint8Array): string {
      const names = (assets[folder] ??= {});
      const name = names[url] ?? findFreeName(wanted, folder, new Set(Object.values(names)));
      if (!isDryRun) writeAtomically(join(root, folder, name), bytes);
      names[url] = name;
      return name;
    },
    save(): void {
      if (isDryRun) return;
      writeAtomically(manifestPath, `${JSON.stringify({ files, assets }, null, 1)}\n`);
    },
  };

  function findFreeName(wanted: string, folder: string, taken: ReadonlySet<string>): string {
    const dot = wanted.lastIndexOf(".");
    for (let count = 1; ; count++) {
      const name = count === 1 ? wanted : `${wanted.slice(0, dot)}-${count}${wanted.slice(dot)}`;
      if (!taken.has(name) && !existsSync(join(root, folder, name))) return name;
    }
  }
}

/** Returns the other files with the slug of "blog/hello/index.mdx". The site would show only one. */
function listSpellings(path: string): string[] {
  const folder = dirname(path);
  return [`${folder}.mdx`, `${folder}.md`, `${folder}/index.md`];
}

function readManifest(path: string): z.infer<typeof manifestSchema> {
  if (!existsSync(path)) return { files: {}, assets: {} };
  try {
    return manifestSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    throw new ExportError(
      `${path} can't be read. Restore it, or delete it to treat every existing file as your own.`,
    );
  }
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
