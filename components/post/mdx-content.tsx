// The text of a post, rendered on the server.

import { localComponents } from "#content/components.generated.ts";
import { Embed } from "./embed.tsx";
import { Html } from "./static-html.tsx";
import { type ComponentMap, loadLocalComponents, runCompiledPost } from "./run-compiled-post.ts";

/** Components every post may use by name; the twin of PAGE_COMPONENTS in lib/posts/mdx/compiled-post.ts. */
const pageComponents: ComponentMap = { Embed, Html };

export interface MdxContentProps {
  readonly post: {
    readonly slug: string;
    readonly compiled: {
      readonly compiledSource: string;
      readonly localImports: readonly {
        readonly name: string;
        readonly file: string;
        readonly imported?: string;
      }[];
    };
  };
  /** More components, or others in the place of ours. */
  readonly components?: ComponentMap;
}

/** The body of `post` with its own components, those of folder posts included. Throws when one is not part of this build. */
export function MdxContent({ post, components }: MdxContentProps) {
  const { compiledSource, localImports } = post.compiled;
  const content = runCompiledPost(compiledSource);
  const given = { ...pageComponents, ...components };
  if (localImports.length === 0) return content({ components: given });
  const load = (file: string) => {
    // Own names only: a post may be called "constructor".
    const files = Object.hasOwn(localComponents, post.slug) ? localComponents[post.slug]! : {};
    const found = Object.hasOwn(files, file) ? files[file] : undefined;
    if (!found) throw new Error(`${file} of the post "${post.slug}" is not part of this build`);
    return found();
  };
  return loadLocalComponents(localImports, load).then((locals) =>
    content({ components: { ...given, ...locals } }),
  );
}
