// Converts containers, `:::note`, to callouts, and `:::details` to <details>.

import type { Blockquote, Paragraph, Root } from "mdast";
import { visit } from "unist-util-visit";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import type { ContainerInfo } from "#lib/posts/mdx/container-syntax.ts";
import { CALLOUT_KINDS, makeCallout } from "./callouts.ts";

type Container = Blockquote & ContainerInfo;

/** `#id`, `.class`, `name`, `name=value` and `name="value"`. */
const ATTRIBUTE = /([#.])([\w-]+)|([a-z][\w-]*)(?:=(?:"([^"]*)"|'([^']*)'|([^\s"']+)))?/gi;

/**
 * Converts containers. With a warning, turns an unknown kind into a `<div>` and removes a stray
 * `:::`.
 */
export function convertContainers(tree: Root, context: CompileContext): void {
  visit(tree, (node, index, parent) => {
    if ((node.type as string) !== "container") return undefined;
    const container = node as Container;
    if (container.hasTitle) container.children[0]!.type = "paragraph";
    const { title: titleText, id, isOpen, classes } = readAttributes(container.attributes);
    // Pandoc and Quarto write `::: {.note}` and `::: {.callout-note}`.
    const kind = container.kind || (classes.shift() ?? "").toLowerCase().replace(/^callout-/, "");
    if (kind === "" && container.children.length === 0) {
      context.warn(node, "this ::: closes no container and is removed");
      parent!.children.splice(index!, 1);
      return index;
    }
    if (titleText && !container.hasTitle) container.children.unshift(createParagraph(titleText));
    if (!container.isClosed) context.warn(node, `:::${kind} is not closed; add ::: where it ends`);
    let title = titleText || container.hasTitle ? (container.children[0] as Paragraph) : undefined;
    container.type = "blockquote";
    if (Object.hasOwn(CALLOUT_KINDS, kind)) {
      makeCallout(container, kind, title);
    } else if (kind === "details") {
      if (!title) container.children.unshift((title = createParagraph("Details")));
      title.data = { hName: "summary" };
      container.data = { hName: "details", hProperties: { open: isOpen } };
    } else {
      context.warn(
        node,
        `:::${kind} is unknown, so its content is shown without a callout; use note, tip, info, warning, danger or details`,
      );
      container.data = { hName: "div", hProperties: {} };
    }
    const properties = container.data!.hProperties!;
    if (id) properties.id = id;
    if (classes.length > 0)
      properties.className = [...((properties.className as string[]) ?? []), ...classes];
    return undefined;
  });
}

const createParagraph = (value: string): Paragraph => ({
  type: "paragraph",
  children: [{ type: "text", value }],
});

function readAttributes(source: string) {
  let title: string | undefined;
  let id: string | undefined;
  let isOpen = false;
  const classes: string[] = [];
  for (const [, sign, shorthand, name, ...values] of source.matchAll(ATTRIBUTE)) {
    const value = values.find((each) => each !== undefined) ?? "";
    if (sign === "#" || name === "id") id = shorthand ?? value;
    else if (sign === ".") classes.push(shorthand!);
    else if (name === "class") classes.push(...value.split(/\s+/).filter(Boolean));
    else if (name === "title") title = value;
    else if (name === "open") isOpen = true;
  }
  return { title, id, isOpen, classes };
}
