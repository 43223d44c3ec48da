// Renders a post for readers with a cookie, if lib/http/page-cache.ts leaves the request to Next.

import { connection } from "next/server";
import { renderPost, postMetadata } from "./render-post.tsx";
import { slugFromParam } from "#lib/posts/addresses/post-address.ts";
import { readSessionCookies } from "#lib/members/viewer.ts";

interface Props {
  params: Promise<{ slug: string }>;
}

export async function generateMetadata({ params }: Props) {
  const slug = slugFromParam((await params).slug);
  await connection();
  return postMetadata(slug);
}

export default async function Page({ params }: Props) {
  const slug = slugFromParam((await params).slug);
  await connection();
  return renderPost(slug, await readSessionCookies());
}
