// Renders an image in the sizes that the build created, above its placeholder.

import type { Image } from "#lib/posts/image.ts";

interface Props {
  image: Image;
  alt: string;
  /** The `sizes` attribute: the displayed width of the image. */
  sizes: string;
  /** Above the fold: fetched immediately and with high priority. */
  first?: boolean;
  className?: string;
}

/** An image without layout shift: its size is known, and the placeholder shows until it has loaded. */
export function HeroImage({ image, alt, sizes, first = false, className }: Props) {
  const { src, width, height, blur, sources = [] } = image;
  // Every browser supports WebP, so the img offers those sizes; other formats get a source element.
  const srcSet = sources.find(({ type }) => type === "image/webp")?.srcset;
  const otherSources = sources.filter(({ srcset }) => srcset !== srcSet);
  const img = (
    <img
      className={className}
      src={src}
      srcSet={srcSet}
      sizes={srcSet ? sizes : undefined}
      width={width}
      height={height}
      alt={alt}
      loading={first ? "eager" : "lazy"}
      fetchPriority={first ? "high" : undefined}
      decoding="async"
      style={blur ? { backgroundImage: `url("${blur}")` } : undefined}
    />
  );
  if (otherSources.length === 0) return img;
  return (
    <picture>
      {otherSources.map(({ type, srcset }) => (
        <source key={type} type={type} srcSet={srcset} sizes={sizes} />
      ))}
      {img}
    </picture>
  );
}
