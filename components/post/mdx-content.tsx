// Renders the body of a post on the server.

import { localComponents } from "#content/components.generated.ts";
import type { CompiledPost } from "#lib/posts/mdx/compiled-post.ts";
import { Embed } from "./embed.tsx";
import { type ComponentMap, loadLocalComponents, runCompiledPost } from "./run-compiled-post.ts";
import { StaticHtml } from "./static-html.tsx";

/** Components that every post may use by name: PAGE_COMPONENTS of lib/posts/mdx/compiled-post.ts. */
const pageComponents: ComponentMap = { Embed, StaticHtml };

export interface MdxContentProps {
  readonly post: {
    readonly slug: string;
    readonly compiled: Pick<CompiledPost, "compiledSource" | "localImports">;
  };
  /** More components, or replacements for the page's. */
  readonly components?: ComponentMap;
}

/** The body of `post`, with the components next to it. Throws if one is not part of this build. */
export function MdxContent({ post, components }: MdxContentProps) {
  const { compiledSource, localImports } = post.compiled;
  const content = runCompiledPost(compiledSource);
  const available = { ...pageComponents, ...components };
  if (localImports.length === 0) return content({ components: available });
  const load = (file: string) => {
    // hasOwn, since a post may be called "constructor".
    const files = Object.hasOwn(localComponents, post.slug) ? localComponents[post.slug]! : {};
    const loadModule = Object.hasOwn(files, file) ? files[file] : undefined;
    if (!loadModule)
      throw new Error(`${file} of the post "${post.slug}" is not part of this build`);
    return loadModule();
  };
  return loadLocalComponents(localImports, load).then((locals) =>
    content({ components: { ...available, ...locals } }),
  );
}
