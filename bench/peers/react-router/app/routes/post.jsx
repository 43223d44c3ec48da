// The article as React elements, as MDX is compiled.

import { Article } from "../../../shared/article.jsx";
import { loadPost } from "../load-post.server.js";
import { PostPage, describePost } from "../post-page.jsx";

export const loader = (request) => loadPost(request);
export const meta = describePost;

export default function Post({ loaderData }) {
  return (
    <PostPage loaderData={loaderData}>
      <Article />
    </PostPage>
  );
}
