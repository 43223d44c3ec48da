// Renders the mark that a read was counted. The page's script shows it; see count-reading.ts.

import { TeamDot } from "#components/team/team-dot.tsx";
import type { Messages } from "#lib/core/messages/en.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import type { Team } from "#lib/reading/team.ts";
import { teamName } from "#lib/reading/team-profile.ts";

/** `team` is the member's, or null. */
export function ReadMark({ team, messages }: { team: Team | null; messages: Messages }) {
  return (
    <p className="read-mark" role="status">
      <span data-read-mark="" hidden>
        {team && siteConfig.features.teams ? (
          <>
            <TeamDot team={team} /> {messages.countedFor(teamName(team))}
          </>
        ) : (
          messages.readCounted
        )}
      </span>
    </p>
  );
}
