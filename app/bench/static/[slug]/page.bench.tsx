// The page of a post as a static one: what a person would build instead. Part of bench builds only.

import { renderPost, postMetadata } from "#app/blog/[slug]/render-post.tsx";

export const dynamic = "force-static";

export function generateStaticParams() {
  return [];
}

export async function generateMetadata({ params }: { params: Promise<{ slug: string }> }) {
  return postMetadata((await params).slug);
}

export default async function Page({ params }: { params: Promise<{ slug: string }> }) {
  return renderPost((await params).slug, { sessionKey: null, clientId: null });
}
