// The only hosts whose pages may be framed: the twin of frame-src in the content security policy.

export const PLAYER_HOSTS = ["www.youtube-nocookie.com", "codesandbox.io", "codepen.io"] as const;

/** True for an https URL on one of them. */
export function isPlayerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, host } = new URL(text);
  return protocol === "https:" && (PLAYER_HOSTS as readonly string[]).includes(host);
}
