// Renders a post's social image, 1200 × 630. next/og supports little more CSS than flexbox.

import { PAPER } from "#lib/core/color.ts";
import { type Logo, LogoImage } from "#components/ui/logo.tsx";

/** Text as an image, for letters that the fonts lack. */
export interface DrawnText {
  /** A data URL. */
  readonly src: string;
  readonly width: number;
  readonly height: number;
  readonly isRightToLeft: boolean;
}

export interface SocialCardProps {
  readonly title: string | DrawnText;
  /** Date and reading time. */
  readonly when: string;
  readonly site: string | DrawnText;
  /** Host of the site. */
  readonly host: string;
  readonly draft: boolean;
  readonly accent: string;
  readonly logo: Logo;
  /** The post's hero image as a data: URL. */
  readonly hero?: string | undefined;
}

/** Colors of the light theme (components/ui/tokens.css). */
export const INK = "#191c1b";
const MUTED = "#5b615e";
const RULE = "#dcded8";
const WARNING = "#775800";

/** Width of the post's hero image, and of the text next to it. */
const HERO_WIDTH = 430;

/** Returns the largest font size that fits four lines, or next to a hero image, six. */
function titleSize(length: number, hasHero: boolean): number {
  if (hasHero) return length <= 28 ? 78 : length <= 60 ? 62 : 50;
  if (length <= 28) return 104;
  if (length <= 52) return 86;
  if (length <= 84) return 72;
  return 62;
}

function TextImage({ text: { src, width, height } }: { text: DrawnText }) {
  return <img src={src} width={width} height={height} alt="" />;
}

function Title({ title, hasHero }: { title: string | DrawnText; hasHero: boolean }) {
  if (typeof title !== "string")
    return (
      <div
        style={{
          display: "flex",
          maxWidth: 1000,
          justifyContent: title.isRightToLeft ? "flex-end" : "flex-start",
        }}
      >
        <TextImage text={title} />
      </div>
    );
  return (
    <div
      style={{
        display: "block",
        lineClamp: hasHero ? 6 : 4,
        maxWidth: hasHero ? 1044 - HERO_WIDTH : 1000,
        fontFamily: "Serif, SerifExt",
        fontSize: titleSize(title.length, hasHero),
        fontWeight: 500,
        lineHeight: 1.08,
        letterSpacing: "-0.022em",
        wordBreak: "break-word",
      }}
    >
      {title}
    </div>
  );
}

/**
 * The card. Its text must be drawable (lib/posts/social-image-text.ts): for other letters, the
 * library would fetch fonts from the network, without a timeout.
 */
export function SocialCard({
  title,
  when,
  site,
  host,
  draft,
  accent,
  logo,
  hero: image,
}: SocialCardProps) {
  // A title drawn as an image is as wide as the card.
  const hero = typeof title === "string" ? image : undefined;
  return (
    <div
      style={{
        width: "100%",
        height: "100%",
        display: "flex",
        backgroundColor: PAPER.light,
        color: INK,
        fontFamily: "Sans, SansExt",
      }}
    >
      <div style={{ width: 20, height: "100%", backgroundColor: accent, display: "flex" }} />
      {!hero && (
        <div
          style={{ position: "absolute", right: -70, bottom: -92, display: "flex", opacity: 0.07 }}
        >
          <LogoImage logo={logo} size={560} color={accent} />
        </div>
      )}
      <div
        style={{
          // Explicit, since the text would push the image out.
          width: hero ? 1180 - HERO_WIDTH : 1180,
          display: "flex",
          flexDirection: "column",
          justifyContent: "space-between",
          padding: "60px 72px 54px 64px",
        }}
      >
        <div style={{ display: "flex", alignItems: "center", justifyContent: "space-between" }}>
          <div
            style={{
              display: "flex",
              alignItems: "center",
              fontSize: 32,
              fontWeight: 600,
              color: accent,
            }}
          >
            <LogoImage logo={logo} size={50} color={accent} />
            <span style={{ marginLeft: 16 }}>
              {typeof site === "string" ? site : <TextImage text={site} />}
            </span>
          </div>
          {draft && (
            <div
              style={{
                display: "flex",
                fontSize: 26,
                fontWeight: 600,
                color: WARNING,
                border: `2px solid ${WARNING}`,
                borderRadius: 4,
                padding: "6px 18px",
              }}
            >
              Draft
            </div>
          )}
        </div>
        <Title title={title} hasHero={hero !== undefined} />
        <div
          style={{
            display: "flex",
            justifyContent: "space-between",
            borderTop: `2px solid ${RULE}`,
            paddingTop: 26,
            fontSize: 29,
            color: MUTED,
          }}
        >
          <span>{when}</span>
          {/* Next to a hero image, there is no room for both. */}
          {!hero && <span>{host}</span>}
        </div>
      </div>
      {hero && (
        <img
          src={hero}
          alt=""
          width={HERO_WIDTH}
          height={630}
          style={{ width: HERO_WIDTH, height: 630, flexShrink: 0, objectFit: "cover" }}
        />
      )}
    </div>
  );
}
