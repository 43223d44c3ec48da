// A post for everybody without a cookie: rendered once for all of them, at the first request, and again after a minute.
// next.config.mjs sends such requests here; nobody sees this address.

import { renderPost, postMetadata } from "#app/blog/[slug]/render-post.tsx";

export const dynamic = "force-static";
export const revalidate = 60;

/** None at build: there is no database then. */
export function generateStaticParams() {
  return [];
}

interface Props {
  params: Promise<{ slug: string }>;
}

export async function generateMetadata({ params }: Props) {
  return postMetadata((await params).slug);
}

export default async function Page({ params }: Props) {
  const { slug } = await params;
  return renderPost(slug, { sessionKey: null, clientId: null });
}
