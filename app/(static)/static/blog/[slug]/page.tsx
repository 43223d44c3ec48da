// Renders a post for requests without a cookie, on the first request and again when older than a minute.
// next.config.mjs rewrites such requests to this internal URL.

import { slugFromParam } from "#lib/posts/addresses/post-address.ts";
import { renderPost, postMetadata } from "#app/blog/[slug]/render-post.tsx";

export const dynamic = "force-static";
export const revalidate = 60;

/** Renders no page during the build, which has no database. */
export function generateStaticParams() {
  return [];
}

interface Props {
  params: Promise<{ slug: string }>;
}

export async function generateMetadata({ params }: Props) {
  return postMetadata(slugFromParam((await params).slug));
}

export default async function Page({ params }: Props) {
  const slug = slugFromParam((await params).slug);
  return renderPost(slug, { sessionKey: null, clientId: null });
}
