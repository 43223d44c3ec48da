// Converts images: local ones get sizes and dimensions, remote ones from allowed hosts stay, others
// become links.

import { type Image, normalizeImageName } from "#lib/posts/image.ts";
import { allowRemoteImage, rewriteImage } from "#lib/posts/images/external-image.ts";
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

/** The text column is at most 44rem wide; on phones, as wide as the screen. */
const SIZES = "(min-width: 48rem) 44rem, 100vw";

/** Ends the URL of an image for one theme on GitHub and in Docusaurus. */
const ONE_THEME = /#gh-(light|dark)-mode-only$/;

/** Converts every `<img>`. A titled image alone in a paragraph becomes a figure with a caption. */
export function convertImages(tree: Root, context: CompileContext): void {
  replaceNodes(tree, (node, ancestors) => {
    if (isElement(node, "video", "source", "audio", "track")) resolveMediaUrls(node, context);
    if (isElement(node, "p")) return convertFigure(node, context, ancestors);
    if (!isElement(node, "img")) return undefined;
    const theme = ONE_THEME.exec(String(node.properties.src ?? ""))?.[1];
    const image = convertImage(node, context, isInsideLink(ancestors), isInsidePicture(ancestors));
    return theme ? createElement("span", { className: [`themed-${theme}`] }, [image]) : image;
  });
}

/**
 * Converts `<p>![alt](src "caption")</p>`, with or without a link around it, to a figure. Returns
 * undefined for anything else.
 */
function convertFigure(
  paragraph: Element,
  context: CompileContext,
  ancestors: Parent[],
): Element | undefined {
  const shown = paragraph.children.filter((child) => !isBlank(child));
  const [only] = shown;
  const link = isElement(only, "a") ? only : null;
  const content = link ? link.children.filter((child) => !isBlank(child)) : shown;
  const image = content[0];
  if (
    shown.length !== 1 ||
    content.length !== 1 ||
    !isElement(image, "img") ||
    !image.properties.title
  )
    return undefined;
  const caption = String(image.properties.title);
  delete image.properties.title;
  const converted = convertImage(image, context, link !== null || isInsideLink(ancestors), false);
  const figureContent: Node = link ? { ...link, children: [converted] } : converted;
  return createElement(
    "figure",
    {},
    [figureContent, createElement("figcaption", {}, [createText(caption)])],
    paragraph,
  );
}

function convertImage(
  image: Element,
  context: CompileContext,
  inLink: boolean,
  inPicture: boolean,
): Node {
  const { properties } = image;
  const src = String(properties.src ?? "").trim();
  const alt = String(properties.alt ?? "");
  if (!src) context.fail(image, "an image needs a src");
  resolveSrcset(image, context);
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
  if (/^data:/i.test(src)) return image;
  const rewrittenImage = rewriteImage(src, context.input.imageRewrites);
  const foundImage = findImage(src, context);
  const localImage = foundImage ?? rewrittenImage;
  if (localImage) {
    if (localImage === rewrittenImage) markRemote(image, localImage);
    return inPicture
      ? Object.assign(image, { properties: withSize(properties, localImage) })
      : createPicture(image, localImage);
  }
  if (/^(https?:)?\/\//i.test(src)) return convertRemoteImage(image, src, alt, inLink, context);
  if (foundImage === undefined) context.warn(image, `the image ${src} is not part of this site`);
  // An absolute path may still be served; a file next to the post cannot.
  return src.startsWith("/")
    ? image
    : createElement(
        "span",
        { className: ["missing-image"], role: "img", ariaLabel: alt || "Missing image" },
        [createText(alt)],
        image,
      );
}

function findImage(src: string, context: CompileContext): Image | null | undefined {
  const images = context.input.images ?? {};
  const plain = src.replace(/[?#].*$/, "");
  let decoded = plain;
  try {
    decoded = decodeURIComponent(plain);
  } catch {
    // Not URL-encoded, so it is used as is.
  }
  for (const path of [src, plain, decoded]) {
    const name = normalizeImageName(path);
    if (Object.hasOwn(images, name)) return images[name];
  }
  return undefined;
}

function withSize(properties: Properties, { src, srcset, width, height, blur }: Image): Properties {
  const style = String(properties.style ?? "");
  const background =
    blur && /^data:image\/[\w+.-]+;base64,[\w+/=]+$/.test(blur)
      ? `background:url(${blur}) center/cover no-repeat`
      : "";
  const scale = (length: unknown, to?: number, from?: number) =>
    length === undefined || !to || !from
      ? to
      : Math.round((Number(String(length).replace(/px$/, "")) * to) / from) || undefined;
  return {
    ...properties,
    src,
    ...(srcset && { srcSet: srcset, sizes: properties.sizes ?? SIZES }),
    width: properties.width ?? scale(properties.height, width, height) ?? width,
    height: properties.height ?? scale(properties.width, height, width),
    style: [background, style].filter(Boolean).join(";") || undefined,
  };
}

function createPicture(image: Element, localImage: Image): Node {
  image.properties = withSize(image.properties, localImage);
  if (!localImage.sources || localImage.sources.length === 0) return image;
  const sizes = image.properties.sizes ?? SIZES;
  const sources = localImage.sources.map(({ type, srcset }) =>
    createElement("source", { type, srcSet: srcset, sizes }),
  );
  return createElement("picture", {}, [...sources, image], image);
}

function convertRemoteImage(
  image: Element,
  src: string,
  alt: string,
  inLink: boolean,
  context: CompileContext,
): Node {
  const remoteImage = allowRemoteImage(src, context.input.imageHosts);
  if (remoteImage) {
    markRemote(image, remoteImage);
    return image;
  }
  const absolute = src.startsWith("//") ? `https:${src}` : src;
  const host = URL.canParse(absolute) ? new URL(absolute).hostname : "(unreadable)";
  context.warn(
    image,
    `the image ${src.slice(0, 200)} is shown as a link: its host ${host} is not among images.hosts of site.config.ts`,
  );
  const label = createText(alt || fileNameOf(absolute));
  return inLink
    ? label
    : createElement("a", { href: absolute, className: ["image-link"] }, [label], image);
}

/** An image in several sizes fills the column; its style reserves space until its size is known. */
function markRemote(image: Element, { srcset }: Image): void {
  const { width, height } = image.properties;
  addClass(image, "remote-image");
  if (srcset && width === undefined && height === undefined) addClass(image, "unsized-image");
  image.properties.referrerPolicy = "no-referrer";
}

function fileNameOf(url: string): string {
  const name =
    url
      .replace(/[?#].*$/, "")
      .split("/")
      .pop() || url;
  return name.length > 80 ? `${name.slice(0, 77)}…` : name;
}

/** Resolves the files of a `<video>`, `<audio>` or `<picture>` next to the post. */
function resolveMediaUrls(node: Element, context: CompileContext): void {
  for (const name of ["src", "poster"]) {
    const value = node.properties[name];
    if (typeof value === "string") node.properties[name] = resolveFileUrl(value, node, context);
  }
  resolveSrcset(node, context);
}

function resolveFileUrl(url: string, node: Element, context: CompileContext): string {
  if (/^([a-z]+:|\/)/i.test(url)) return url;
  const file = findImage(url, context);
  if (file === undefined) context.warn(node, `the file ${url} is not part of this site`);
  return file?.src ?? url;
}

/** Separates the candidates of a srcset. A URL may contain commas. */
const CANDIDATE_END = /,\s+|(?<=\s[\d.]+[wx]),/;

function resolveSrcset(node: Element, context: CompileContext): void {
  const { srcSet } = node.properties;
  if (typeof srcSet !== "string") return;
  node.properties.srcSet = srcSet
    .split(CANDIDATE_END)
    .map((candidate) =>
      candidate.trim().replace(/^[^\s,]\S*/, (url) => resolveFileUrl(url, node, context)),
    )
    .join(", ");
}

const isInsideLink = (ancestors: Parent[]) =>
  ancestors.some((parent) => isElement(parent as Node, "a"));
const isInsidePicture = (ancestors: Parent[]) =>
  ancestors.some((parent) => isElement(parent as Node, "picture"));
