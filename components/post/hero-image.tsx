// A picture in the sizes that were made at build, above its placeholder.

import type { HeroImage as Hero } from "#lib/posts/post.ts";

interface Props {
  hero: Hero & { readonly sources?: readonly { readonly type: string; readonly srcset: string }[] };
  alt: string;
  /** How wide it is shown, for the choice among the sizes. */
  sizes: string;
  /** In the first view: fetched at once, and ahead of others. */
  first?: boolean;
  className?: string;
}

/** An image that keeps its place: width and height are known, the placeholder shows until it has come. */
export function HeroImage({ hero, alt, sizes, first = false, className }: Props) {
  const image = (
    <img
      className={className}
      src={hero.src}
      srcSet={hero.srcSet}
      sizes={hero.srcSet ? sizes : undefined}
      width={hero.width}
      height={hero.height}
      alt={alt}
      loading={first ? "eager" : "lazy"}
      fetchPriority={first ? "high" : undefined}
      decoding="async"
      style={hero.blur ? { backgroundImage: `url("${hero.blur}")` } : undefined}
    />
  );
  // What the img itself offers needs no source.
  const sources = hero.sources?.filter(({ srcset }) => srcset !== hero.srcSet) ?? [];
  if (sources.length === 0) return image;
  return (
    <picture>
      {sources.map(({ type, srcset }) => (
        <source key={type} type={type} srcSet={srcset} sizes={sizes} />
      ))}
      {image}
    </picture>
  );
}
