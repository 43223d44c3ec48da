// Defines an island and its module, and gives the module the page's own React: they share its hooks.

import * as React from "react";
import * as ReactDom from "react-dom";
import * as jsxRuntime from "react/jsx-runtime";

export interface IslandProps {
  /** PostCode.hash of the post. */
  readonly code: string;
  /** Index in the module's `islands`. */
  readonly n: number;
  /** What the post calls the component. */
  readonly name: string;
  /** Within a sentence. */
  readonly inline?: boolean;
  readonly children?: React.ReactNode;
}

export interface IslandModule {
  readonly islands: readonly ((props: { children?: React.ReactNode }) => React.ReactNode)[];
}
/** The default export of a post's module. */
export type CreateIslands = (require: (name: string) => unknown) => IslandModule;

const modules = new Map<string, unknown>([
  ["react", React],
  ["react-dom", ReactDom],
  ["react/jsx-runtime", jsxRuntime],
]);

/** Returns a module of the page's React. Throws for any other name. */
export function requirePageModule(name: string): unknown {
  const found = modules.get(name);
  if (!found) throw new Error(`"${name}" is not available to the components of a post`);
  return found;
}
