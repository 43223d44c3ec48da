// Defines the response headers that every path gets. next.config.mjs sends them from Next, the
// pipeline for what it answers itself.

/** Returns the value of Permissions-Policy: `microphone` is "self" or empty. */
export const permissionsPolicy = (microphone: string): string =>
  `camera=(), microphone=(${microphone}), geolocation=(), browsing-topics=()`;

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "strict-origin-when-cross-origin",
  "Permissions-Policy": permissionsPolicy(""),
  "Content-Security-Policy":
    "base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'; frame-src https://www.youtube-nocookie.com https://codesandbox.io https://codepen.io",
  "Strict-Transport-Security": "max-age=63072000",
};
