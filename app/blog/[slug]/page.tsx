// A post for a reader who brings a cookie: rendered for them.

import { connection } from "next/server";
import { loadPost, postMetadata } from "./load-post.tsx";
import { readIdentity } from "#lib/session/session.ts";

interface Props {
  params: Promise<{ slug: string }>;
}

export async function generateMetadata({ params }: Props) {
  const { slug } = await params;
  await connection();
  return postMetadata(slug);
}

export default async function Page({ params }: Props) {
  const { slug } = await params;
  await connection();
  return loadPost(slug, await readIdentity());
}
