// Finds the files that readers must not see: those of hidden posts, and those in folders such as
// _drafts.

import { posix } from "node:path";
import type { Post } from "#lib/posts/post.ts";
import { listBundles } from "#lib/posts/source/content-source.ts";
import { findFolder, isIgnoredPath, postPath } from "#lib/posts/source/post-path.ts";
import type { ParsedPost } from "./parsed-post.ts";

/**
 * Returns the `paths` that are hidden. A file is hidden if a hidden post mentions it, if the
 * nearest folder with posts has no visible one, or if it is in a folder such as _drafts. Files that a
 * visible post mentions are not hidden.
 */
export function listHiddenFiles(
  paths: readonly string[],
  parsedPosts: Iterable<ParsedPost>,
  hiddenPosts: readonly Pick<Post, "path">[],
): ReadonlySet<string> {
  const hiddenPaths = new Set(hiddenPosts.map(({ path }) => path));
  const mentioned = { visible: new Set<string>(), hidden: new Set<string>() };
  const visibleFolders = new Set<string>();
  for (const { file, references } of parsedPosts) {
    const kind = hiddenPaths.has(file.path) ? "hidden" : "visible";
    for (const reference of references) mentioned[kind].add(reference.file.path);
    if (kind === "visible") visibleFolders.add(posix.dirname(file.path));
  }
  const bundles = listBundles(paths.map((path) => ({ path })));
  const postFolders = new Set(
    paths
      .filter((path) => path.split("/").length > 2 && postPath(path) !== null)
      .map((path) => findFolder(path, bundles) ?? posix.dirname(path)),
  );
  const isInHiddenFolder = (path: string) => {
    const folder = findFolder(path, postFolders);
    return folder !== null && !visibleFolders.has(folder);
  };
  return new Set(
    paths.filter(
      (path) =>
        !mentioned.visible.has(path) &&
        (mentioned.hidden.has(path) || isInHiddenFolder(path) || isIgnoredPath(path)),
    ),
  );
}
