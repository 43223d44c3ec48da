// Finds broken links in posts: to a missing page, or to a missing anchor.

import type { CompiledPost } from "#lib/posts/mdx/compiled-post.ts";
import type { AddressTable } from "./address-table.ts";
import { decodeAddress } from "./redirect-rules.ts";

export interface LinkingPost {
  /** Path below the content root. */
  readonly path: string;
  readonly compiled: Pick<CompiledPost, "links" | "ids" | "components">;
}

/** Returns "file:line: reason" for each broken link. Other hosts are not checked. */
export function findBrokenLinks(
  posts: readonly LinkingPost[],
  addresses: AddressTable,
  isPublicFile: (path: string) => boolean,
): string[] {
  const byPath = new Map(posts.map((post) => [post.path, post]));
  return posts.flatMap((post) =>
    post.compiled.links.flatMap(({ url, line }) => {
      const [start = "", part = ""] = url.split("#");
      const path = decodeAddress(start);
      const target = path === null ? null : start === "" ? post : addresses.findPost(path);
      if (target) {
        const { compiled } = byPath.get(target.path) ?? {};
        return hasPart(compiled, part)
          ? []
          : [
              `${post.path}:${line}: the link ${url} points to an anchor that ${target.path} doesn't have`,
            ];
      }
      const exists =
        path !== null &&
        (addresses.hasPage(path) || isPublicFile(path) || addresses.resolve(start) !== null);
      return exists
        ? []
        : [`${post.path}:${line}: the link ${url} points to a page that doesn't exist`];
    }),
  );
}

/** Components may add ids that the compiler can't see. */
function hasPart(compiled: LinkingPost["compiled"] | undefined, part: string): boolean {
  if (!compiled || part === "" || part === "top") return true;
  if (compiled.components.some((name) => name !== "Embed")) return true;
  return compiled.ids.includes(part) || compiled.ids.includes(decodeAddress(part) ?? part);
}
