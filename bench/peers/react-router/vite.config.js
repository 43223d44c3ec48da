import { reactRouter } from "@react-router/dev/vite";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [reactRouter()],
  // The article is outside of this folder.
  resolve: { dedupe: ["react", "react-dom"] },
  ssr: { external: ["better-sqlite3", "@prisma/client", "@prisma/adapter-better-sqlite3"] },
});
