// The article as one piece of HTML, which React doesn't render.

import { html } from "../../../shared/article.js";
import { loadPost } from "../load-post.server.js";
import { PostPage, describePost } from "../post-page.jsx";

export const loader = (request) => loadPost(request);
export const meta = describePost;

export default function Post({ loaderData }) {
  return (
    <PostPage loaderData={loaderData}>
      <div dangerouslySetInnerHTML={{ __html: html }} />
    </PostPage>
  );
}
