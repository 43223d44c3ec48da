// Converts the site's own components to HTML while compiling: <Callout>, <Tabs>, <Steps>, <FileTree>, <ThemedImage>, <YouTube>.

import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import { evaluateProgram } from "#lib/posts/mdx/static-value.ts";
import {
  createAttribute,
  createElement,
  createText,
  isBlank,
  isJsx,
  type MdxJsx,
  type Node,
} from "#lib/posts/mdx/mdx-tree.ts";
import { CALLOUT_KINDS } from "./callouts.ts";
import { createEmbed } from "./embeds.ts";

type Convert = (node: MdxJsx, context: CompileContext) => Node;

const converters: Record<string, Convert> = {
  Callout: convertCallout,
  Img: (node) => ({ ...node, name: "img" }),
  ThemedImage: convertThemedImage,
  Tweet: (node, context) =>
    createEmbed(
      `https://twitter.com/i/status/${readId(node, /^\d{1,20}$/, context)}`,
      node,
      context,
    ),
  YouTube: (node, context) =>
    createEmbed(
      `https://www.youtube.com/watch?v=${readId(node, /^[\w-]{11}$/, context)}`,
      node,
      context,
    ),
  CodeSandbox: (node, context) =>
    createEmbed(
      `https://codesandbox.io/s/${readId(node, /^[\w-]{3,120}$/, context)}`,
      node,
      context,
    ),
  Steps: (node) => createElement("div", { className: ["steps"] }, node.children, node),
  FileTree: (node) => createElement("div", { className: ["file-tree"] }, node.children, node),
  Tabs: convertTabs,
};

/** Names that `convertSiteComponent` converts. `Tab` is part of `Tabs`. */
export const SITE_COMPONENTS: readonly string[] = [...Object.keys(converters), "Tab"];

/**
 * Returns the HTML of a component of the site, or null for any other name. Throws PostError if an
 * attribute is missing or wrong.
 */
export function convertSiteComponent(node: MdxJsx, context: CompileContext): Node | null {
  const name = node.name ?? "";
  if (name === "Tab") context.fail(node, "<Tab> must be directly inside <Tabs>");
  return Object.hasOwn(converters, name) ? converters[name]!(node, context) : null;
}

/** Returns the value of the first of `names` that is given as text or a number. */
function readText(node: MdxJsx, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = node.attributes.find((attribute) => attribute.name === name)?.value;
    if (typeof value === "string") return value;
    const evaluated = value ? evaluateProgram(value.data?.estree)?.value : undefined;
    if (typeof evaluated === "string" || typeof evaluated === "number") return String(evaluated);
  }
  return undefined;
}

function readId(node: MdxJsx, pattern: RegExp, context: CompileContext): string {
  const id = readText(node, "id", "videoId", "tweetId", "sandboxId");
  if (id === undefined || !pattern.test(id))
    context.fail(
      node,
      `<${node.name}> needs an id; it is part of the URL of what you want to show`,
    );
  return id;
}

function convertCallout(node: MdxJsx, context: CompileContext): Node {
  const given = readText(node, "kind", "type", "variant") ?? "info";
  const kind = Object.hasOwn(CALLOUT_KINDS, given.toLowerCase())
    ? CALLOUT_KINDS[given.toLowerCase()]!
    : context.fail(
        node,
        `"${given}" is not a kind of <Callout>; use one of ${Object.keys(CALLOUT_KINDS).join(", ")}`,
      );
  const title = readText(node, "title");
  const children = title
    ? [createElement("p", { className: ["callout-title"] }, [createText(title)]), ...node.children]
    : node.children;
  const element = createElement(`callout-${kind}`, {}, children, node);
  element.data = { inline: node.type === "mdxJsxTextElement" && !title };
  return element;
}

/** Both images are in the page; the theme's style shows one, and only that one loads. */
function convertThemedImage(node: MdxJsx, context: CompileContext): Node {
  const sources = {
    light: readText(node, "light", "src", "lightSrc"),
    dark: readText(node, "dark", "darkSrc"),
  };
  if (!sources.light || !sources.dark)
    context.fail(
      node,
      '<ThemedImage> needs two images, as in <ThemedImage light="./a.png" dark="./b.png" alt="…" />',
    );
  const others = node.attributes.filter(
    ({ name }) => !["light", "dark", "src", "lightSrc", "darkSrc"].includes(name),
  );
  const images = Object.entries(sources).map(([theme, src]): Node =>
    createElement("span", { className: [`themed-${theme}`] }, [
      {
        type: "mdxJsxTextElement",
        name: "img",
        attributes: [...others, { type: "mdxJsxAttribute", name: "src", value: src! }],
        children: [],
        ...(node.position && { position: node.position }),
      },
    ]),
  );
  return createElement("span", { className: ["themed-image"] }, images, node);
}

/** Without JavaScript, and in feeds, the tabs are stacked, each with its title. */
function convertTabs(node: MdxJsx, context: CompileContext): Node {
  const tabs = node.children
    .flatMap((child) =>
      child.type === "element" && child.tagName === "p" ? child.children : [child],
    )
    .filter((child) => !isBlank(child));
  const labels: string[] = [];
  const panels = tabs.map((tab) => {
    if (!isJsx(tab) || tab.name !== "Tab")
      return context.fail(tab, "<Tabs> may contain only <Tab>");
    const label = readText(tab, "label", "title", "value");
    if (!label) return context.fail(tab, '<Tab> needs a label, as in <Tab label="npm">');
    labels.push(label);
    const title = createElement("p", { className: ["tab-title"] }, [createText(label)]);
    return createElement("section", { className: ["tab-panel"] }, [title, ...tab.children], tab);
  });
  if (panels.length === 0) context.fail(node, "<Tabs> needs at least one <Tab>");
  return createElement(
    "div",
    { className: ["tabs"] },
    [createTabList(labels, context), ...panels],
    node,
  );
}

function createTabList(labels: string[], context: CompileContext): MdxJsx {
  return {
    type: "mdxJsxFlowElement",
    name: context.internalName("TabList"),
    attributes: [createAttribute("labels", labels)],
    children: [],
    data: { isInternal: true },
  };
}
