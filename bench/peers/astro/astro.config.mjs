import node from "@astrojs/node";
import { defineConfig } from "astro/config";

export default defineConfig({
  site: "https://peer.example",
  output: "server",
  adapter: node({ mode: "standalone" }),
  telemetry: false,
  vite: { ssr: { external: ["better-sqlite3"] } },
});
