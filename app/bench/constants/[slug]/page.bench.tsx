// The page of a post with its data replaced by constants: no cookies, no database. Part of bench builds only.

import { connection } from "next/server";
import { renderPost, postMetadata } from "#app/blog/[slug]/render-post.tsx";

const data: Awaited<ReturnType<NonNullable<Parameters<typeof renderPost>[2]>>> = {
  viewer: { member: null, clientId: null },
  standings: [
    { team: "RED", reads: 300, members: 1_000, ratio: 0.3 },
    { team: "BLUE", reads: 200, members: 1_000, ratio: 0.2 },
    { team: "YELLOW", reads: 100, members: 1_000, ratio: 0.1 },
  ],
  leadingTeams: new Map([
    ["short", "RED"],
    ["medium", "BLUE"],
  ]),
  readSlugs: new Set(),
  startOfDayTotals: new Map([
    ["short", 3_000],
    ["medium", 2_000],
    ["long", 1_000],
  ]),
  nowMs: Date.now(),
  reads: 1_000,
};

export async function generateMetadata({ params }: { params: Promise<{ slug: string }> }) {
  return postMetadata((await params).slug);
}

export default async function Page({ params }: { params: Promise<{ slug: string }> }) {
  const { slug } = await params;
  await connection();
  return renderPost(slug, { sessionKey: null, clientId: null }, async () => data);
}
