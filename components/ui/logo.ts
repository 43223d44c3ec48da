// The site's logo: a lectern, seen from the side, as an SVG path in a box of 28 by 28. public/icon.svg
// has the same path, and scripts/generate-icons.ts makes the other icons from it.

export const LOGO_PATH = "M4.6 12.2 6.4 15.4 23.6 6.1M15 10.9v13.3M9.4 24.2h11.2";
export const LOGO_SIZE = 28;
