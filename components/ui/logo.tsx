// Draws the site's logo in one color: an SVG path from site.config.ts.

import { siteConfig } from "#lib/core/site-config.ts";
import type { SiteConfig } from "#lib/core/site-config-schema.ts";

export type Logo = SiteConfig["logo"];

interface Props {
  readonly logo: Logo;
  /** Width and height in pixels. */
  readonly size: number;
  readonly color: string;
  readonly className?: string;
}

/** An SVG that next/og can draw as well. */
export function LogoImage({ logo: { path, size: units, stroke }, size, color, className }: Props) {
  return (
    <svg
      className={className}
      viewBox={`0 0 ${units} ${units}`}
      width={size}
      height={size}
      {...(stroke === undefined
        ? { fill: color }
        : {
            fill: "none",
            stroke: color,
            strokeWidth: stroke,
            strokeLinejoin: "round" as const,
            strokeLinecap: "round" as const,
          })}
      aria-hidden="true"
      focusable="false"
    >
      <path d={path} />
    </svg>
  );
}

export const SiteMark = () => (
  <LogoImage className="mark" logo={siteConfig.logo} size={28} color="currentColor" />
);
