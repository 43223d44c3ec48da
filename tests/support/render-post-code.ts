// Renders a compiled post with its code, as the server does: with React, and islands in <x-island>.

import * as React from "react";
import * as devRuntime from "react/jsx-dev-runtime";
import * as jsxRuntime from "react/jsx-runtime";
import { renderToStaticMarkup } from "react-dom/server";
import { POST_CODE_PREFIX, type CompiledPost } from "#lib/posts/mdx/compiled-post.ts";

type Island = (props: { children?: React.ReactNode }) => React.ReactNode;

const modules: Record<string, object> = { react: React, "react/jsx-runtime": jsxRuntime };
const requireReact = (name: string) => {
  const found = modules[name];
  if (!found) throw new Error(`There is no ${name} here.`);
  return found;
};

/** Returns the islands of a post. */
export function islandsOf({ code }: CompiledPost): Island[] {
  if (!code?.browser) return [];
  const script = code.browser.slice(POST_CODE_PREFIX.length);
  const create = new Function(`return ${script}`)() as (require: unknown) => { islands: Island[] };
  return create(requireReact).islands;
}

const createTag = (name: string, props: object, ...children: React.ReactNode[]) =>
  React.createElement(name as React.ElementType, props, ...children);

/** Returns the HTML of a post, with `<x-island title="Name">` around each island. */
export function renderPostCode(post: CompiledPost): string {
  const islands = islandsOf(post);
  const components = {
    StaticHtml: ({ html }: { html: string }) =>
      createTag("x-html", { dangerouslySetInnerHTML: { __html: html } }),
    Embed: ({ url }: { url: string }) => createTag("x-embed", { title: url }),
    PostIsland: ({ n, name, children }: { n: number; name: string; children?: React.ReactNode }) =>
      createTag("x-island", { title: name }, React.createElement(islands[n]!, null, children)),
  };
  const run = new Function(post.compiledSource) as (runtime: object) => {
    default: React.ComponentType<{ components: object }>;
  };
  const content = run({ ...devRuntime, ...jsxRuntime, require: requireReact }).default;
  return renderToStaticMarkup(React.createElement(content, { components })).replace(
    /<\/?x-html>/g,
    "",
  );
}
