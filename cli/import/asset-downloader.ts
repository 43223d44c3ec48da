// Gets the images and files of posts from the export, or from the old site if the export lacks
// them.

import { isAppError } from "#lib/core/errors.ts";
import { forEachConcurrently } from "#lib/core/for-each-concurrently.ts";
import { fetchBytes } from "#lib/outbound/fetch/guarded-fetch.ts";
import { MAX_FILE_BYTES } from "#lib/posts/source/content-source.ts";
import { assetFileName } from "./asset-url.ts";
import { type ExportedSite, ExportError } from "./exported-site.ts";
import type { ImportManifest } from "./import-manifest.ts";

const FETCH_TIMEOUT_MS = 30_000;
const CONCURRENCY = 4;
/** All downloads of one run. The next run continues where this one stopped. */
const TOTAL_TIMEOUT_MS = 30 * 60_000;
/** After this many failed connections in a row, a host is skipped. */
const MAX_HOST_FAILURES = 4;

interface DownloadOptions {
  readonly site: ExportedSite;
  readonly manifest: ImportManifest;
  readonly isDryRun: boolean;
}

export interface PostAssets {
  /** File names next to the post, by URL. A URL without a name could not be downloaded. */
  readonly names: ReadonlyMap<string, string>;
  readonly failures: readonly { readonly url: string; readonly reason: string }[];
  readonly downloadCount: number;
}

/** Returns a function that puts the files at `urls` into `folder`; no new ones for a kept post. */
export function createAssetDownloader({ site, manifest, isDryRun }: DownloadOptions) {
  const startedMs = performance.now();
  const hostFailures = new Map<string, number>();

  async function getBytes(url: string): Promise<Uint8Array> {
    const exported = site.readAsset(url);
    if (exported) return exported;
    const inline = /^data:[^,]*;base64,(.*)$/s.exec(url)?.[1];
    if (inline) return Buffer.from(inline, "base64");
    if (url.startsWith("/"))
      throw new ExportError("the export does not name the old site; add --url https://OLD-SITE");
    const { host } = new URL(url);
    if ((hostFailures.get(host) ?? 0) >= MAX_HOST_FAILURES)
      throw new ExportError(`${host} did not respond to earlier requests`);
    if (performance.now() - startedMs > TOTAL_TIMEOUT_MS)
      throw new ExportError(
        "the time limit for downloads was reached; run the import again to continue",
      );
    try {
      const { status, bytes } = await fetchBytes(url, {
        timeoutMs: FETCH_TIMEOUT_MS,
        maxBytes: MAX_FILE_BYTES,
      });
      hostFailures.delete(host);
      if (status !== 200) throw new ExportError(`status ${status}`);
      return bytes;
    } catch (error) {
      if (isAppError(error, "unavailable"))
        hostFailures.set(host, (hostFailures.get(host) ?? 0) + 1);
      throw error;
    }
  }

  return async (
    folder: string,
    urls: readonly string[],
    { isKept }: { isKept: boolean },
  ): Promise<PostAssets> => {
    const names = new Map<string, string>();
    const failures: { url: string; reason: string }[] = [];
    const downloads: { url: string; bytes: Uint8Array; name: string }[] = [];
    const missing = urls.filter((url) => {
      const name = manifest.findAsset(folder, url);
      if (name !== null) names.set(url, name);
      return name === null && !isKept;
    });
    if (isDryRun) return { names, failures, downloadCount: missing.length };
    await forEachConcurrently(missing, CONCURRENCY, async (url) => {
      try {
        const bytes = await getBytes(url);
        const name = assetFileName(url.startsWith("data:") ? "image" : url, bytes);
        if (bytes.byteLength > MAX_FILE_BYTES)
          throw new ExportError(`is larger than ${MAX_FILE_BYTES / 1_048_576} MB`);
        if (name === null) throw new ExportError("is not an image or a known kind of file");
        downloads.push({ url, bytes, name });
      } catch (error) {
        if (!isAppError(error) && !(error instanceof ExportError)) throw error;
        failures.push({ url: url.slice(0, 200), reason: error.message });
      }
    });
    // In the post's order, so that names don't depend on which download was faster.
    downloads.sort((a, b) => missing.indexOf(a.url) - missing.indexOf(b.url));
    for (const { url, bytes, name } of downloads)
      names.set(url, manifest.addAsset(folder, url, name, bytes));
    return { names, failures, downloadCount: downloads.length };
  };
}
