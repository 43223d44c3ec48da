// Runs what lib/mdx compiled, on the server, with React's own jsx runtime: the browser gets no compiler and no MDX.

import { LRUCache } from "lru-cache";
import { Fragment, jsx, jsxs } from "react/jsx-runtime";
import type { ReactNode } from "react";

/** Components by the name a post uses: a component, or a module whose exports are components (`<C.Counter />`). */
export type ComponentMap = Readonly<Record<string, unknown>>;
/** A post as a component. Throws when the post uses a name that `components` lacks. */
export type PostContent = (props: { components: ComponentMap }) => ReactNode;

/** Sources kept as functions: about what a busy site shows, at some kB each. */
const MAX_CACHED_CONTENTS = 200;
const contentCache = new LRUCache<string, PostContent>({ max: MAX_CACHED_CONTENTS });

/** The content of a post from its `compiledSource`. The same source is read by the JavaScript engine once. */
export function runCompiledPost(compiledSource: string): PostContent {
  let content = contentCache.get(compiledSource); // the text itself: V8 keeps a string's hash, and compares the same string by identity
  if (!content) {
    // The source comes from our own compiler, out of reviewed content: see docs/decisions/010.
    const run = new Function(compiledSource) as (runtime: object) => { default: PostContent };
    content = run({ Fragment, jsx, jsxs }).default;
    contentCache.set(compiledSource, content);
  }
  return content;
}

/** What a post imported from files beside it, as names → components. `load` gives the module of a file. */
export async function loadLocalComponents(
  imports: readonly { readonly name: string; readonly file: string; readonly imported?: string }[],
  load: (file: string) => Promise<Record<string, unknown>>,
): Promise<ComponentMap> {
  const entries = await Promise.all(
    imports.map(async ({ name, file, imported = "default" }) => {
      const exports = await load(file);
      if (imported !== "*" && exports[imported] === undefined)
        throw new Error(`${file} has no export "${imported}"`);
      return [name, imported === "*" ? exports : exports[imported]] as const;
    }),
  );
  return Object.fromEntries(entries);
}
