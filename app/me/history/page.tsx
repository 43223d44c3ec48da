// Renders /me/history: what a member has read, by page.

import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import { HistoryList } from "#components/member/reading-lists.tsx";
import { nowMs } from "#lib/core/clock.ts";
import { pluralize } from "#lib/core/format.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { read } from "#lib/db/database.ts";
import { type SearchParams, buildHref, parseCursor } from "#lib/http/search-params.ts";
import { readSessionCookies, resolveViewer } from "#lib/members/viewer.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { listReadingHistory } from "#lib/reading/reading-history.ts";
import { READS_WINDOW_MONTHS } from "#lib/reading/standings.ts";
import { parseTeam } from "#lib/reading/team.ts";
import { teamName } from "#lib/reading/team-profile.ts";

export const metadata: Metadata = { title: "Reading history", robots: { index: false } };

const PATH = "/me/history";

export default async function Page({ searchParams }: { searchParams: Promise<SearchParams> }) {
  await connection();
  const sessionIds = await readSessionCookies();
  const wanted = parseCursor((await searchParams).page) ?? 1;
  const data = await read(async (tx) => {
    const { member } = await resolveViewer(tx, sessionIds);
    if (!member) return null;
    const page = { userId: member.id, page: wanted, nowMs: nowMs() };
    return { team: parseTeam(member.team), ...(await listReadingHistory(tx, page)) };
  });
  if (!data) redirect(`/login?next=${PATH}`);
  const { team, entries, total, page, pageCount } = data;
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Reading history</h1>
        <p className="lead">
          {total === 0 ? "You haven’t finished a post yet." : `${pluralize(total, "read")}.`}
          {total > 0 &&
            team &&
            siteConfig.features.teams &&
            ` Each counts for ${teamName(team)} for ${READS_WINDOW_MONTHS} months.`}
        </p>
      </header>
      <HistoryList index={await getIndex()} entries={entries} team={team} />
      {pageCount > 1 && (
        <nav className="form-actions" aria-label="Pages">
          {page > 1 && <a href={buildHref(PATH, { page: page - 1 })}>Newer</a>}
          <span className="muted">
            Page {page} of {pageCount}
          </span>
          {page < pageCount && <a href={buildHref(PATH, { page: page + 1 })}>Older</a>}
        </nav>
      )}
      <p className="me-note me-note-end">
        <a href="/me">Your account</a>
      </p>
    </div>
  );
}
