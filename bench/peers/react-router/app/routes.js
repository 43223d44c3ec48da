import { route } from "@react-router/dev/routes";

export default [
  route("blog/:slug", "routes/post.jsx"),
  route("html/:slug", "routes/post-of-html.jsx"),
];
