// Says whose site this is. Every field is optional; a change needs a restart, not a build.
// Secrets and the machine's settings are in .env. Your editor explains each field.

import { defineSiteConfig } from "#lib/core/define-site-config.ts";

export default defineSiteConfig({
  name: "Lectern",
  description: "Notes on a site that serves every reader from a SQLite database next to them.",
  language: "en",
  /** A lectern, seen from the side. */
  logo: { path: "M4.6 12.2 6.4 15.4 23.6 6.1M15 10.9v13.3M9.4 24.2h11.2", size: 28, stroke: 1.9 },
  author: {
    name: "The Lectern authors",
    bio: "The posts describe the code that is serving this page.",
  },
  home: {
    title: "A blog served from a database right next to you.",
    intro:
      "One process, one SQLite file next to it. Every page comes from there. The posts explain how it works, what it costs, and how the same file is replicated to every region.",
  },
  footer: {
    text: "Set in Newsreader, Instrument Sans and JetBrains Mono. Every page is served from the database next to it.",
  },
  topics: {
    litefs: { title: "LiteFS", text: "Replicating one SQLite file to every region." },
    mdx: { title: "MDX", text: "How a text file with components becomes a page." },
    migration: { title: "Migration", text: "Moving a running site from Postgres to SQLite." },
    operations: { title: "Operations", text: "What fails, how it recovers, and what it costs." },
    reads: { title: "Reads", text: "Counting reads without tracking readers." },
    security: { title: "Security", text: "What attackers may try, and what stops them." },
    sqlite: { title: "SQLite", text: "One file, one writer, and readers right next to it." },
  },
  podcast: {
    artwork: "/podcast/cover.png",
    owner: { name: "The Lectern authors", email: "podcast@example.com" },
  },
});
