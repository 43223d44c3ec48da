// Passes the code of posts from the bundle that renders a post to the one that renders its islands to HTML.

import { peekSingleton, singleton } from "#lib/core/singleton.ts";

export interface RegisteredCode {
  /** The module of the islands: PostCode.browser of lib/posts/mdx/compiled-post.ts. */
  readonly browser: string;
  /** Writes a component's failure to the log. */
  readonly report: (name: string, error: unknown) => void;
}

/** Posts with code that were rendered last. Evicted ones register again with their next render. */
const MAX_POSTS = 300;

const registry = () => singleton("post-code", () => new Map<string, RegisteredCode>());

/** Registers the code of a post that is being rendered. */
export function registerPostCode(hash: string, code: RegisteredCode): void {
  const codes = registry();
  codes.delete(hash);
  codes.set(hash, code);
  if (codes.size > MAX_POSTS) codes.delete(codes.keys().next().value!);
}

/** Returns the registered code, or undefined; always undefined in the browser. */
export function findRegisteredCode(hash: string): RegisteredCode | undefined {
  return peekSingleton<Map<string, RegisteredCode>>("post-code")?.get(hash);
}
