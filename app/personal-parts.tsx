// Renders the parts of a shared page that differ between readers, without Next
// (docs/decisions/056-personal-parts.md).

import type { ReactNode } from "react";
import { renderPart } from "#components/ui/personal-part.tsx";
import { findStaticRenderer } from "#components/ui/static-renderer.ts";
import { nowMs } from "#lib/core/clock.ts";
import { findEpisodesVersion } from "#lib/calls/episodes.ts";
import { LEGACY_COOKIES, getCookieName } from "#lib/core/cookie-names.ts";
import { isReplicated } from "#lib/core/instance.ts";
import { serializeCookie } from "#lib/http/cookies.ts";
import {
  type PersonalRequest,
  provideEpisodesVersion,
  providePersonalParts,
} from "#lib/http/page-cache.ts";
import { previousVisitMs, renewVisitCookie } from "#lib/members/last-visit.ts";
import { mayNeedRenewal } from "#lib/members/renew-session.ts";
import { type SessionIds, findSessionIds, hasSession } from "#lib/members/viewer.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { hasTranslationIn } from "#lib/posts/catalog/site-catalog.ts";
import { primaryLanguage } from "#lib/posts/translations.ts";
import { slugFromParam, slugOfRoute } from "#lib/posts/addresses/post-address.ts";
import { hasOwnWrites } from "#lib/replication/read-your-writes.ts";
import { loadPostParts } from "./blog/[slug]/post-parts.tsx";
import { loadYearParts } from "./blog/archive/[year]/year-parts.tsx";
import { loadListParts } from "./blog/list-parts.tsx";
import { loadTopicParts } from "./blog/topics/[topic]/topic-parts.tsx";
import { AccountLinks } from "./account-links.tsx";
import { findLayoutMessages } from "./layout-messages.ts";
import { loadHomeParts } from "./home-parts.tsx";
import { loadTeamsParts } from "./teams/teams-parts.tsx";

export function startPersonalParts(): void {
  providePersonalParts({ render: renderPersonalParts, isTranslated });
  provideEpisodesVersion(findEpisodesVersion);
}

/** Pages that list posts, each in the reader's language: home, all posts, a topic, a year. */
const LIST = /^\/(blog(\/(topics|archive)\/[^/]+)?)?$/;

function isTranslated(path: string, language: string): boolean {
  return (
    LIST.test(path) &&
    language !== primaryLanguage(siteConfig.language) &&
    hasTranslationIn(language)
  );
}

/**
 * Returns the HTML of each part of the page for this reader; null if the request needs the
 * middleware, or the reader's page differs in more than its parts.
 */
async function renderPersonalParts({
  path,
  isPageView,
  findCookie,
  setCookie,
}: PersonalRequest): Promise<Record<string, string> | null> {
  const render = findStaticRenderer();
  if (!render || Object.values(LEGACY_COOKIES).some((name) => findCookie(name) !== undefined))
    return null;
  if (!hasOwnWrites(findCookie(getCookieName("txid")))) return null;
  if (await mayNeedRenewal(findCookie(getCookieName("session")))) return null;
  const sessionIds = await findSessionIds(findCookie);
  const isLoggedIn = sessionIds.sessionKey !== null;
  const visit = findCookie(getCookieName("visit"));
  const loaded = await loadParts(path, sessionIds, previousVisitMs(visit, nowMs()));
  // An admin's page names the instance.
  if (!loaded || (isReplicated() && loaded.isAdmin)) return null;
  const renewedVisit = isPageView && isLoggedIn && renewVisitCookie(visit, nowMs());
  if (renewedVisit) setCookie(serializeCookie(renewedVisit));
  const parts: Record<string, ReactNode> = {
    ...loaded.parts,
    account: (
      <AccountLinks
        isLoggedIn={await hasSession(sessionIds)}
        showsAdminLink={sessionIds.showsAdminLink}
        messages={(await findLayoutMessages()).messages}
      />
    ),
  };
  return Object.fromEntries(
    Object.entries(parts).map(([name, element]) => [name, renderPart(render, element)]),
  );
}

interface LoadedParts {
  readonly isAdmin: boolean;
  readonly parts: Readonly<Record<string, ReactNode>>;
}

/** Loads what differs between readers below the header; null for an address without a page. */
async function loadParts(
  path: string,
  sessionIds: SessionIds,
  previousVisitMs: number | null,
): Promise<LoadedParts | null> {
  if (path === "/") return loadHomeParts(sessionIds, previousVisitMs);
  if (path === "/blog") return loadListParts(sessionIds, previousVisitMs);
  const [, list, param = ""] = /^\/blog\/(topics|archive)\/([^/]+)$/.exec(path) ?? [];
  if (list === "topics") return loadTopicParts(param, sessionIds, { previousVisitMs });
  const slug = slugOfRoute(path);
  if (slug !== null) return loadPostParts(slugFromParam(slug), sessionIds);
  const isAdmin = sessionIds.showsAdminLink ?? false;
  if (list === "archive") {
    const parts = await loadYearParts(slugFromParam(param));
    return parts && { isAdmin, parts };
  }
  return { isAdmin, parts: path === "/teams" ? await loadTeamsParts(sessionIds) : {} };
}
