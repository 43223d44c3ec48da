// The English strings of the page layout around a post.

import { formatCount, formatDate, formatReadingTime, pluralize } from "#lib/core/format.ts";

/** British, because it has no comma before "and". */
const listTeams = (teams: readonly string[]) => new Intl.ListFormat("en-GB").format(teams);

export const en = {
  skipToContent: "Skip to content",
  mainNavigation: "Main",
  moreNavigation: "More",
  search: "Search",
  logIn: "Log in",
  account: "Account",
  /** Titles of the site's own pages, by path. */
  pages: {
    "/blog": "Posts",
    "/calls": "Calls",
    "/teams": "Teams",
    "/about": "About",
    "/how-we-count": "How we count",
    "/subscribe": "Subscribe",
    "/contact": "Contact",
    "/privacy": "Privacy",
  } as Readonly<Record<string, string>>,
  theme: "Theme",
  themes: { light: "Light", dark: "Dark", system: "System" },
  copied: "Copied",
  copyFailed: "Couldn’t copy. Your browser blocked clipboard access.",

  date: formatDate,
  readingTime: formatReadingTime,
  updated: "Updated",
  draft: "Draft.",
  draftNotice: "Unlisted, not counted, and likely to change.",
  archived: "Archived.",
  archivedNotice: "Accurate when written; no longer updated.",
  translations: "Translations:",
  addTranslation: "Add translation",
  by: "by",
  byAuthor: "By",
  contents: "Contents",
  seriesPart: (number: number, total: number) => `Part ${number} of ${total}`,
  seriesParts: "Parts of this series",
  series: "Series",
  previousPart: "Previous part",
  nextPart: "Next part",
  previousPost: "Previous post",
  nextPost: "Next post",
  otherPosts: "Previous and next post",

  saveForLater: "Save for later",
  saved: "Saved",
  pressToRemove: "(press to remove)",
  savedStatus: "Saved to your account page.",
  removedStatus: "Removed.",
  continueReading: "Continue where you left off:",
  countedFor: (team: string) => `Counted for ${team}`,
  readCounted: "Read counted",
  shareAndEdit: "Share and edit",
  copyLink: "Copy link",
  email: "Share by email",
  replyByEmail: "Reply by email",
  discuss: "Discuss this post",
  edit: "Edit this post",
  license: "License:",
  aboutAuthor: (name: string) => `More about ${name}`,

  whoIsReading: "Who’s reading",
  noTeamLeads: "No team is leading this post yet. The first member to read it takes the lead.",
  teamLeads: (team: string, score: string) =>
    `${team} leads this post with ${score} reads per active member.`,
  teamsTied: (teams: readonly string[], score: string) =>
    `${listTeams(teams)} are tied at ${score} reads per active member.`,
  readToTheEnd: (reads: number) =>
    reads === 0
      ? "No one has finished it yet."
      : `Read to the end ${reads === 1 ? "once" : `${formatCount(reads)} times`}.`,
  reads: (count: number) => pluralize(count, "read"),
  activeMembers: (count: number) => pluralize(count, "active member"),
  readsPerMember: "reads per member",
  decimal: (value: number) => value.toFixed(2),

  keepReading: "Keep reading",
  isNew: "New",
  isRead: "read",
  topics: "Topics",
  leads: (team: string) => `${team} leads`,
  tied: (teams: readonly string[]) => `${listTeams(teams)} are tied`,
  noLead: "No team leads yet",
};

/** Every language has the same strings. */
export type Messages = typeof en;
