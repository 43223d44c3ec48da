// Images: those of this site in several sizes with their measures, those of allowed hosts as they are, others as a link.

import type { ManifestImage } from "../compiled-post.ts";
import type { Draft } from "../draft.ts";
import {
  addClass,
  element,
  isBlank,
  isElement,
  rewrite,
  text,
  type Element,
  type Node,
  type Parent,
  type Properties,
  type Root,
} from "../tree.ts";

/** A column of text is at most 44rem wide, and on a phone as wide as the screen. */
const SIZES = "(min-width: 48rem) 44rem, 100vw";

/** Rewrites every `<img>`; an image with a title that stands alone becomes a figure with that caption. */
export function writeImages(tree: Root, draft: Draft): void {
  rewrite(tree, (node, ancestors) => {
    if (isElement(node, "video", "source", "audio")) resolveMedia(node, draft);
    if (isElement(node, "p")) return figure(node, draft, ancestors);
    if (isElement(node, "img"))
      return picture(node, draft, insideLink(ancestors), insidePicture(ancestors));
    return undefined;
  });
}

/** `<p>![alt](src "caption")</p>`, also with a link around the image, as `<figure>`; null when it isn't one. */
function figure(paragraph: Element, draft: Draft, ancestors: Parent[]): Element | undefined {
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
  const written = picture(image, draft, link !== null || insideLink(ancestors), false);
  const content: Node = link ? { ...link, children: [written] } : written;
  return element("figure", {}, [content, element("figcaption", {}, [text(caption)])], paragraph);
}

function picture(image: Element, draft: Draft, inLink: boolean, inPicture: boolean): Node {
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
  if (/^(https?:)?\/\//i.test(src)) return remoteImage(image, src, alt, inLink, draft);
  if (/^data:/i.test(src)) return image;
  const known = findImage(src, draft);
  if (known)
    return inPicture
      ? Object.assign(image, { properties: sized(properties, known) })
      : localPicture(image, known);
  const reason = `the image ${src} is not part of this site`;
  if (draft.input.missingImages === "fail") draft.fail(image, reason);
  draft.warn(image, reason);
  // A path of this site may still be served; a file beside the post can't be.
  return src.startsWith("/")
    ? image
    : element(
        "span",
        { className: ["missing-image"], role: "img", ariaLabel: alt || "Missing image" },
        [text(alt)],
        image,
      );
}

function findImage(src: string, draft: Draft): ManifestImage | undefined {
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

function sized(properties: Properties, known: ManifestImage): Properties {
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

function localPicture(image: Element, known: ManifestImage): Node {
  image.properties = sized(image.properties, known);
  if (!known.sources || known.sources.length === 0) return image;
  const sources = known.sources.map(({ type, srcset }) =>
    element("source", { type, srcSet: srcset, sizes: SIZES }),
  );
  return element("picture", {}, [...sources, image], image);
}

function remoteImage(
  image: Element,
  src: string,
  alt: string,
  inLink: boolean,
  draft: Draft,
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
  const label = text(alt || decodeName(absolute));
  return inLink
    ? label
    : element("a", { href: absolute, className: ["image-link"] }, [label], image);
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

function decodeName(url: string): string {
  const name =
    url
      .replace(/[?#].*$/, "")
      .split("/")
      .pop() || url;
  return name.length > 80 ? `${name.slice(0, 77)}…` : name;
}

/** Files of a `<video>` that lie beside the post. */
function resolveMedia(node: Element, draft: Draft): void {
  for (const name of ["src", "poster"]) {
    const value = node.properties[name];
    if (typeof value !== "string" || /^([a-z]+:|\/)/i.test(value)) continue;
    const known = findImage(value, draft);
    if (known) node.properties[name] = known.src;
    else draft.warn(node, `the file ${value} is not part of this site`);
  }
}

const insideLink = (ancestors: Parent[]) =>
  ancestors.some((parent) => isElement(parent as Node, "a"));
const insidePicture = (ancestors: Parent[]) =>
  ancestors.some((parent) => isElement(parent as Node, "picture"));
