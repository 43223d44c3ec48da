// Renders a post as a static page: what the same article would cost without any reader's data.

import { renderPost, postMetadata } from "#app/blog/[slug]/render-post.tsx";

interface Props {
  params: Promise<{ slug: string }>;
}

export const dynamic = "force-static";

export function generateStaticParams() {
  return [];
}

export async function generateMetadata({ params }: Props) {
  return postMetadata((await params).slug);
}

export default async function Page({ params }: Props) {
  return renderPost((await params).slug, { sessionKey: null, clientId: null });
}
