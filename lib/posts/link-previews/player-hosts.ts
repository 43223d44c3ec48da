// Lists the hosts that may be framed. Keep in sync with frame-src of the Content Security Policy.

export const PLAYER_HOSTS = ["www.youtube-nocookie.com", "codesandbox.io", "codepen.io"] as const;

/** Returns whether `text` is an https URL on a host in PLAYER_HOSTS. */
export function isPlayerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, host } = new URL(text);
  return protocol === "https:" && (PLAYER_HOSTS as readonly string[]).includes(host);
}
