// Images: those of this site in several sizes with their measures, those of allowed hosts as they are, others as a link.

import type { PostImage } from "#lib/posts/mdx/compiled-post.ts";
import type { CompileContext } from "#lib/posts/mdx/compile-context.ts";
import {
  addClass,
  createElement,
  isBlank,
  isElement,
  replaceNodes,
  createText,
  type Element,
  type Node,
  type Parent,
  type Properties,
  type Root,
} from "#lib/posts/mdx/mdx-tree.ts";

/** A column of text is at most 44rem wide, and on a phone as wide as the screen. */
const SIZES = "(min-width: 48rem) 44rem, 100vw";

/** Rewrites every `<img>`; an image with a title that stands alone becomes a figure with that caption. */
export function convertImages(tree: Root, draft: CompileContext): void {
  replaceNodes(tree, (node, ancestors) => {
    if (isElement(node, "video", "source", "audio")) resolveMediaUrls(node, draft);
    if (isElement(node, "p")) return convertFigure(node, draft, ancestors);
    if (isElement(node, "img"))
      return convertImage(node, draft, isInsideLink(ancestors), isInsidePicture(ancestors));
    return undefined;
  });
}

/** `<p>![alt](src "caption")</p>`, also with a link around the image, as `<figure>`; null when it isn't one. */
function convertFigure(
  paragraph: Element,
  draft: CompileContext,
  ancestors: Parent[],
): Element | undefined {
  const shown = paragraph.children.filter((child) => !isBlank(child));
  const [only] = shown;
  const link = isElement(only, "a") ? only : null;
  const inside = link ? link.children.filter((child) => !isBlank(child)) : shown;
  const image = inside[0];
  if (
    shown.length !== 1 ||
    inside.length !== 1 ||
    !isElement(image, "img") ||
    !image.properties.title
  )
    return undefined;
  const caption = String(image.properties.title);
  delete image.properties.title;
  const written = convertImage(image, draft, link !== null || isInsideLink(ancestors), false);
  const content: Node = link ? { ...link, children: [written] } : written;
  return createElement(
    "figure",
    {},
    [content, createElement("figcaption", {}, [createText(caption)])],
    paragraph,
  );
}

function convertImage(
  image: Element,
  draft: CompileContext,
  inLink: boolean,
  inPicture: boolean,
): Node {
  const { properties } = image;
  const src = String(properties.src ?? "").trim();
  const alt = String(properties.alt ?? "");
  if (!src) draft.fail(image, "an image needs a src");
  properties.alt = alt;
  properties.loading ??= "lazy";
  properties.decoding = "async";
  for (const name of [
    "priority",
    "quality",
    "placeholder",
    "blurDataURL",
    "blurdataurl",
    "fill",
    "layout",
    "objectFit",
    "objectfit",
    "unoptimized",
  ])
    delete properties[name];
  if (/^(https?:)?\/\//i.test(src)) return convertRemoteImage(image, src, alt, inLink, draft);
  if (/^data:/i.test(src)) return image;
  const known = findImage(src, draft);
  if (known)
    return inPicture
      ? Object.assign(image, { properties: withSize(properties, known) })
      : createPicture(image, known);
  const reason = `the image ${src} is not part of this site`;
  if (draft.input.missingImages === "fail") draft.fail(image, reason);
  draft.warn(image, reason);
  // A path of this site may still be served; a file beside the post can't be.
  return src.startsWith("/")
    ? image
    : createElement(
        "span",
        { className: ["missing-image"], role: "img", ariaLabel: alt || "Missing image" },
        [createText(alt)],
        image,
      );
}

function findImage(src: string, draft: CompileContext): PostImage | undefined {
  const images = draft.input.images ?? {};
  const plain = src.replace(/[?#].*$/, "");
  let decoded = plain;
  try {
    decoded = decodeURI(plain);
  } catch {
    // Not an encoded path: taken as it stands.
  }
  for (const name of [
    src,
    plain,
    decoded,
    decoded.replace(/^\.\//, ""),
    decoded.startsWith(".") || decoded.startsWith("/") ? decoded : `./${decoded}`,
  ]) {
    if (Object.hasOwn(images, name)) return images[name];
  }
  return undefined;
}

function withSize(properties: Properties, known: PostImage): Properties {
  const style = String(properties.style ?? "");
  const blur =
    known.blur && /^data:image\/[\w+.-]+;base64,[\w+/=]+$/.test(known.blur)
      ? `background:url(${known.blur}) center/cover no-repeat`
      : "";
  const joined = [blur, style].filter(Boolean).join(";");
  return {
    ...properties,
    src: known.src,
    width: properties.width ?? known.width,
    height:
      properties.height ??
      (properties.width === undefined
        ? known.height
        : Math.round((Number(properties.width) * known.height) / known.width) || undefined),
    style: joined || undefined,
  };
}

function createPicture(image: Element, known: PostImage): Node {
  image.properties = withSize(image.properties, known);
  if (!known.sources || known.sources.length === 0) return image;
  const sources = known.sources.map(({ type, srcset }) =>
    createElement("source", { type, srcSet: srcset, sizes: SIZES }),
  );
  return createElement("picture", {}, [...sources, image], image);
}

function convertRemoteImage(
  image: Element,
  src: string,
  alt: string,
  inLink: boolean,
  draft: CompileContext,
): Node {
  const absolute = src.startsWith("//") ? `https:${src}` : src;
  const host = URL.canParse(absolute) ? new URL(absolute).hostname : "";
  if (isAllowedHost(host, draft.input.imageHosts)) {
    addClass(image, "remote-image");
    image.properties.referrerPolicy = "no-referrer";
    return image;
  }
  draft.warn(
    image,
    `the image ${src.slice(0, 200)} is shown as a link: its host ${host || "(unreadable)"} is not among IMAGE_HOSTS`,
  );
  const label = createText(alt || fileNameOf(absolute));
  return inLink
    ? label
    : createElement("a", { href: absolute, className: ["image-link"] }, [label], image);
}

/** True when `host` is one of `patterns`: "a.example", "*.example" (every subdomain), "*" (all). */
export function isAllowedHost(host: string, patterns: readonly string[]): boolean {
  const name = host.toLowerCase();
  if (name === "") return false;
  return patterns.some((pattern) => {
    const wanted = pattern.toLowerCase();
    return (
      wanted === "*" ||
      wanted === name ||
      (wanted.startsWith("*.") && name.endsWith(wanted.slice(1)))
    );
  });
}

function fileNameOf(url: string): string {
  const name =
    url
      .replace(/[?#].*$/, "")
      .split("/")
      .pop() || url;
  return name.length > 80 ? `${name.slice(0, 77)}…` : name;
}

/** Files of a `<video>` that lie beside the post. */
function resolveMediaUrls(node: Element, draft: CompileContext): void {
  for (const name of ["src", "poster"]) {
    const value = node.properties[name];
    if (typeof value !== "string" || /^([a-z]+:|\/)/i.test(value)) continue;
    const known = findImage(value, draft);
    if (known) node.properties[name] = known.src;
    else draft.warn(node, `the file ${value} is not part of this site`);
  }
}

const isInsideLink = (ancestors: Parent[]) =>
  ancestors.some((parent) => isElement(parent as Node, "a"));
const isInsidePicture = (ancestors: Parent[]) =>
  ancestors.some((parent) => isElement(parent as Node, "picture"));
