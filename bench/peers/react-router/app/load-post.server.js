// Loads a post's page, for both routes.

import { data } from "react-router";
import { readPage } from "./database.server.js";

const findCookie = (header, name) =>
  header
    ?.split("; ")
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);

export async function loadPost({ request, params }) {
  const page = await readPage(params.slug, findCookie(request.headers.get("cookie"), "session"));
  if (!page) throw data(null, { status: 404 });
  return page;
}
