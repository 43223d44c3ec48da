// Renders a post with constants instead of its data: no cookies, no database.

import { connection } from "next/server";
import { renderPost, postMetadata } from "#app/blog/[slug]/render-post.tsx";
import { type PostPageData, withPageData } from "#bench/site/replaceable-page-data.ts";

interface Props {
  params: Promise<{ slug: string }>;
}

const DATA: PostPageData = {
  viewer: { member: null, clientId: null },
  standings: [
    { team: "RED", reads: 300, members: 1_000, memberTime: 1_000, readsPerMember: 0.3 },
    { team: "BLUE", reads: 200, members: 1_000, memberTime: 1_000, readsPerMember: 0.2 },
    { team: "YELLOW", reads: 100, members: 1_000, memberTime: 1_000, readsPerMember: 0.1 },
  ],
  leadingTeams: new Map([
    ["short", ["RED"]],
    ["medium", ["BLUE"]],
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

export async function generateMetadata({ params }: Props) {
  return postMetadata((await params).slug);
}

export default async function Page({ params }: Props) {
  const { slug } = await params;
  await connection();
  return withPageData(
    async () => DATA,
    () => renderPost(slug, { sessionKey: null, clientId: null }),
  );
}
