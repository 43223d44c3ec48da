// Loads the site's fonts, subset by fonts/subset-fonts.sh. Fallbacks have adjusted metrics to prevent layout shift.

import localFont from "next/font/local";

/** For long text. */
const text = localFont({
  src: [{ path: "./fonts/text.woff2", weight: "400", style: "normal" }],
  variable: "--font-text",
  display: "swap",
  adjustFontFallback: "Times New Roman",
  fallback: ["Iowan Old Style", "Palatino", "Georgia", "serif"],
});

/** For emphasis. Like bold and mono, it loads after the page: see `data-fonts` in tokens.css. */
const textItalic = localFont({
  src: [{ path: "./fonts/text-italic.woff2", weight: "400", style: "italic" }],
  variable: "--font-text-italic",
  display: "swap",
  preload: false,
  adjustFontFallback: false,
});

/** For strong text and small headings. */
const textBold = localFont({
  src: [{ path: "./fonts/text-bold.woff2", weight: "620", style: "normal" }],
  variable: "--font-text-bold",
  display: "swap",
  preload: false,
  adjustFontFallback: false,
});

/** For titles: the optical size for 60 px. */
const display = localFont({
  src: [{ path: "./fonts/display.woff2", weight: "460", style: "normal" }],
  variable: "--font-display",
  display: "swap",
  adjustFontFallback: "Times New Roman",
  fallback: ["Iowan Old Style", "Palatino", "Georgia", "serif"],
});

/** For controls and navigation. */
const sans = localFont({
  src: [{ path: "./fonts/sans.woff2", weight: "400 600", style: "normal" }],
  variable: "--font-sans",
  display: "swap",
  adjustFontFallback: "Arial",
  fallback: ["system-ui", "sans-serif"],
});

const mono = localFont({
  src: [{ path: "./fonts/mono.woff2", weight: "400", style: "normal" }],
  variable: "--font-mono",
  display: "swap",
  preload: false,
  adjustFontFallback: false,
  fallback: ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"],
});

/** Class names that declare the font variables; for the html element. */
export const fontVariables = [text, textItalic, textBold, display, sans, mono]
  .map((font) => font.variable)
  .join(" ");
