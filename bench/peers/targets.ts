// Lists the pages that are compared, and checks that they are what they claim to be.

import type { PeerProcess } from "./start-peer.ts";

export type PeerName = "Lectern" | "React Router" | "Astro" | "SvelteKit" | "Fastify" | "Ghost";
export type Peers = Readonly<Partial<Record<PeerName, PeerProcess>>>;

export interface Target {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Returns the pages of the running peers. The cookies are a member's, here and with the peers. */
export function listTargets(
  peers: Peers,
  slug: string,
  cookies: { readonly own: string; readonly peer: string },
): Target[] {
  const path = `/blog/${slug}`;
  const pages: readonly (readonly [name: string, peer: PeerName, path: string, cookie?: string])[] =
    [
      ["Lectern, anonymous", "Lectern", path],
      ["Lectern, member", "Lectern", path, cookies.own],
      ["React Router 7 with Prisma, anonymous", "React Router", path],
      ["React Router 7 with Prisma, member", "React Router", path, cookies.peer],
      ["React Router 7, one piece of HTML, member", "React Router", `/html/${slug}`, cookies.peer],
      ["Astro, prerendered", "Astro", path],
      ["Astro, anonymous", "Astro", `/live/${slug}`],
      ["Astro, member", "Astro", `/live/${slug}`, cookies.peer],
      ["SvelteKit, anonymous", "SvelteKit", path],
      ["SvelteKit, member", "SvelteKit", path, cookies.peer],
      ["Fastify and a template, anonymous", "Fastify", path],
      ["Fastify and a template, member", "Fastify", path, cookies.peer],
      ["Fastify, its page from memory", "Fastify", `/memory${path}`],
      ["Fastify, Lectern's page from memory", "Fastify", "/memory/lectern"],
      ["Ghost, anonymous", "Ghost", `/${slug}/`],
    ];
  return pages.flatMap(([name, peer, pagePath, cookie]) => {
    const origin = peers[peer]?.url;
    if (origin === undefined) return [];
    const headers: Target["headers"] = cookie === undefined ? {} : { cookie };
    return [{ name, url: origin + pagePath, headers }];
  });
}

/** Returns the text without spaces and escaped characters, which Ghost's editor writes otherwise. */
const textOf = (html: string) =>
  html
    .replace(/<(script|style)\b[^]*?<\/\1>/g, "")
    .replace(/<[^>]+>/g, "")
    .replace(/&#?\w+;|[\s<>&"']/g, "");

/** Throws unless the page has the whole `article`, and a member's link only for a member. */
export async function checkTarget({ name, url, headers }: Target, article: string): Promise<void> {
  const response = await fetch(url, { headers, redirect: "error" });
  const html = await response.text();
  const text = textOf(html);
  const paragraphs = [...article.matchAll(/<p>([^]*?)<\/p>/g)].map(([, each]) => textOf(each!));
  const missing = paragraphs.filter((each) => !text.includes(each));
  const isForMember = html.includes('href="/me"');
  const problem = !response.ok
    ? `responds with ${response.status}`
    : paragraphs.length === 0 || missing.length > 0
      ? `lacks ${missing.length} of ${paragraphs.length} paragraphs, such as “${missing[0]}”`
      : isForMember !== (headers.cookie !== undefined)
        ? "is not for its reader"
        : null;
  if (problem) throw new Error(`${name} (${url}) ${problem}.`);
}
