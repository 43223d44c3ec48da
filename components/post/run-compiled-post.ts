// Runs a compiled post on the server with React's jsx runtime: the browser gets no compiler and no MDX.

import { LRUCache } from "lru-cache";
import * as React from "react";
import * as jsxRuntime from "react/jsx-runtime";
import type { ReactNode } from "react";

/** Components by the name a post uses: a component, or a module of components (`<C.Counter />`). */
export type ComponentMap = Readonly<Record<string, unknown>>;
/** A post as a component. Throws if the post uses a name missing from `components`. */
export type PostContent = (props: { components: ComponentMap }) => ReactNode;

/** Enough for the posts of a busy site, at a few kB each. */
const MAX_CACHED_CONTENTS = 200;
const contentCache = new LRUCache<string, PostContent>({ max: MAX_CACHED_CONTENTS });

/** Returns a module that components rendered on the server import. Throws for any other name. */
function requireServerModule(name: string): unknown {
  if (name === "react") return React;
  if (name === "react/jsx-runtime") return jsxRuntime;
  throw new Error(`"${name}" is not available to components that are rendered on the server`);
}

/**
 * Returns the content of a post. The JavaScript engine parses each source once. Throws what the
 * post's own code throws while it is loaded.
 */
export function runCompiledPost(compiledSource: string): PostContent {
  let content = contentCache.get(compiledSource); // cheap key: V8 caches a string's hash
  if (!content) {
    // Trusted code: compiled from reviewed content, see docs/decisions/010.
    const run = new Function(compiledSource) as (runtime: object) => { default: PostContent };
    const { Fragment, jsx, jsxs } = jsxRuntime;
    content = run({ Fragment, jsx, jsxs, require: requireServerModule }).default;
    contentCache.set(compiledSource, content);
  }
  return content;
}
