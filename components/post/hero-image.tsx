// Renders an image in its sizes and formats, above its placeholder.

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
  const { src, srcset, width, height, blur, sources = [] } = image;
  const img = (
    <img
      className={className}
      src={src}
      srcSet={srcset}
      sizes={srcset ? sizes : undefined}
      width={width}
      height={height}
      alt={alt}
      loading={first ? "eager" : "lazy"}
      fetchPriority={first ? "high" : undefined}
      decoding="async"
      referrerPolicy={/^https?:/.test(src) ? "no-referrer" : undefined}
      style={blur ? { backgroundImage: `url("${blur}")` } : undefined}
    />
  );
  if (sources.length === 0) return img;
  return (
    <picture>
      {sources.map(({ type, srcset }) => (
        <source key={type} type={type} srcSet={srcset} sizes={sizes} />
      ))}
      {img}
    </picture>
  );
}
