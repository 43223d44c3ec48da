// Names the folders of the peers: their sources, and the copies that are installed, built and run.

import { join, resolve } from "node:path";

export const SOURCES_DIR = join("bench", "peers");
export const PEERS_DIR = resolve(".data", "bench-peers");
/** The peers that are npm packages. Ghost has its own installer. */
export const PACKAGES = ["react-router", "astro", "sveltekit", "fastify"] as const;
