"use client";
// Renders an island of a post to HTML, and hydrates it in the browser with the post's own module.

import { Activity, Component, type ReactNode, use, useId, useState } from "react";
import { ComponentFailure } from "./component-failure.tsx";
import { renderIslandToNode } from "./island-server.ts";
import { loadPostCode } from "./island-loader.ts";
import type { IslandProps } from "./island-module.ts";

interface ServedIsland {
  readonly html: string;
  /** Set if the server could not render it; it then stays unchanged. */
  readonly hasFailed: boolean;
}

/** The island as the server rendered it; null if it is new in this document. */
function findServedIsland(id: string): ServedIsland | null {
  const element = typeof window === "undefined" ? null : document.getElementById(id);
  if (!element) return null;
  return {
    html: element.innerHTML,
    hasFailed: element.querySelector(".component-failure") !== null,
  };
}

/**
 * A wrapper without a box, with a boundary that hydrates separately: neither a slow module nor a
 * failed component keeps the rest of the page from working.
 */
export function IslandElement(props: IslandProps) {
  const id = useId();
  const [served] = useState(() => findServedIsland(id));
  const Tag = props.inline ? "span" : "div";
  const attributes = { id, className: "post-island", style: { display: "contents" } };
  if (served?.hasFailed)
    return (
      <Tag
        {...attributes}
        suppressHydrationWarning
        dangerouslySetInnerHTML={{ __html: served.html }}
      />
    );
  return (
    <Tag {...attributes}>
      <Activity>
        <FailureBoundary name={props.name} inline={props.inline}>
          <IslandContent {...props} isServed={served !== null} />
        </FailureBoundary>
      </Activity>
    </Tag>
  );
}

function IslandContent({ isServed, ...props }: IslandProps & { isServed: boolean }) {
  if (typeof window === "undefined") return renderIslandToNode(props);
  const { islands } = use(loadPostCode(props.code, isServed));
  const Island = islands[props.n];
  if (!Island) throw new Error(`The post's module has no island ${props.n}`);
  return <Island>{props.children}</Island>;
}

class FailureBoundary extends Component<
  { name: string; inline?: boolean; children: ReactNode },
  { hasFailed: boolean }
> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override componentDidCatch(error: unknown) {
    console.error(`The component ${this.props.name} of this post failed.`, error);
  }

  override render() {
    const { name, inline, children } = this.props;
    return this.state.hasFailed ? <ComponentFailure name={name} inline={inline} /> : children;
  }
}
