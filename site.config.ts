// Says whose site this is. Every field is optional; a change needs a restart, not a build.
// Secrets and the machine's settings are in .env. The editor explains each field.

import { defineSiteConfig } from "#lib/core/define-site-config.ts";

export default defineSiteConfig({
  name: "Lectern",
  description: "Notes on a site that serves every reader from a SQLite database next to them.",
  language: "en",
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
  podcast: {
    owner: { name: "The Lectern authors", email: "podcast@example.com" },
  },
});
