// Renders the body of a post on the server.

import type { ReactNode } from "react";
import type { CompiledPost } from "#lib/posts/mdx/compiled-post.ts";
import { ComponentFailure } from "./component-failure.tsx";
import { isFrameworkSignal } from "./framework-signal.ts";
import { guardTree } from "./guard-tree.ts";
import { pageComponents } from "./page-components.ts";
import { registerPostCode } from "./post-code-registry.ts";
import { PostIsland } from "./post-island.tsx";
import { reportComponentFailure } from "./report-failure.ts";
import { type ComponentMap, runCompiledPost } from "./run-compiled-post.ts";
import { StaticHtml } from "#components/ui/static-html.tsx";

export interface MdxContentProps {
  readonly post: {
    readonly slug: string;
    readonly compiled: Pick<CompiledPost, "compiledSource" | "code">;
  };
  /** More components, or replacements for the page's. */
  readonly components?: ComponentMap;
}

/**
 * The body of `post`. A component that fails becomes a box and a log line, and the page still
 * renders.
 */
export function MdxContent({ post, components }: MdxContentProps) {
  const { code } = post.compiled;
  return (
    <>
      {code?.css && (
        <link rel="stylesheet" href={`/post-code/${code.hash}.css`} precedence="post" />
      )}
      {renderText(post, { ...pageComponents, StaticHtml, PostIsland, ...components })}
    </>
  );
}

function renderText(
  { slug, compiled }: MdxContentProps["post"],
  components: ComponentMap,
): ReactNode {
  const onFailure = (name: string, error: unknown) => {
    reportComponentFailure(slug, name, error);
    return <ComponentFailure name={name} />;
  };
  const { code } = compiled;
  if (code) {
    const report = (name: string, error: unknown) => reportComponentFailure(slug, name, error);
    registerPostCode(code.hash, { browser: code.browser, report });
  }
  let node: ReactNode;
  try {
    node = runCompiledPost(compiled.compiledSource)({ components });
  } catch (error) {
    if (isFrameworkSignal(error)) throw error;
    return onFailure("The text of this post", error);
  }
  return guardTree(node, { onFailure, isSignal: isFrameworkSignal, isServerBuild: true });
}
