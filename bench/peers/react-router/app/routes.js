import { route } from "@react-router/dev/routes";

export default [route("blog/:slug", "routes/post.jsx")];
