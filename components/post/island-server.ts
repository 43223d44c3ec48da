// Renders an island on the server, where its document is written.

import { createElement, type ReactNode } from "react";
import { preloadModule } from "react-dom";
import { POST_CODE_PREFIX } from "#lib/posts/mdx/compiled-post.ts";
import { ComponentFailure } from "./component-failure.tsx";
import { isFrameworkSignal } from "./framework-signal.ts";
import { guardTree } from "./guard-tree.ts";
import {
  type CreateIslands,
  type IslandModule,
  type IslandProps,
  requirePageModule,
} from "./island-module.ts";
import { findRegisteredCode } from "./post-code-registry.ts";

const MAX_MODULES = 100;
/** By hash; evaluated with this bundle's React. The oldest is dropped first. */
const modules = new Map<string, IslandModule>();

/** Returns the island, or a box in place of what fails, after reporting it. */
export function renderIslandToNode({ code, n, name, inline, children }: IslandProps): ReactNode {
  const onFailure = (_: string, error: unknown) => {
    findRegisteredCode(code)?.report(name, error);
    return createElement(ComponentFailure, { name, inline });
  };
  preloadModule(`/post-code/${code}.js`, { as: "script" });
  try {
    const Island = evaluate(code).islands[n];
    return guardTree(createElement(Island!, null, children), {
      name,
      onFailure,
      isSignal: isFrameworkSignal,
    });
  } catch (error) {
    if (isFrameworkSignal(error)) throw error;
    return onFailure(name, error);
  }
}

function evaluate(hash: string): IslandModule {
  const cached = modules.get(hash);
  if (cached) return cached;
  const text = findRegisteredCode(hash)?.browser;
  if (!text?.startsWith(POST_CODE_PREFIX)) throw new Error("the code of this post is not loaded");
  // Trusted code: compiled from reviewed content, see docs/decisions/010.
  const create = new Function(`return ${text.slice(POST_CODE_PREFIX.length)}`)() as CreateIslands;
  const created = create(requirePageModule);
  modules.set(hash, created);
  if (modules.size > MAX_MODULES) modules.delete(modules.keys().next().value!);
  return created;
}
