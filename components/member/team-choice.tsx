"use client";
// The three teams to choose from: radio buttons that look like cards.

import { useId } from "react";
import { TEAM_NAMES, TeamDot } from "../team/team-dot.tsx";
import { useActionForm } from "../ui/action-form.tsx";
import type { Team } from "#lib/reading/team.ts";

const TEAM_DESCRIPTIONS: Record<Team, string> = {
  RED: "For those who finish what they open, and then want the next one.",
  BLUE: "For those who read slowly, look twice, and run the code.",
  YELLOW: "For those who begin in the middle and follow every link.",
};

/** The field "team". `order` is the order in which the cards stand. */
export function TeamChoice({ order }: { order: readonly Team[] }) {
  const { state } = useActionForm();
  const id = useId();
  const error = state.errors.team;
  return (
    <fieldset className="team-choice" aria-describedby={`${id}-hint${error ? ` ${id}-error` : ""}`}>
      <legend className="form-legend">Your team</legend>
      <p className="form-hint" id={`${id}-hint`}>
        Posts are led by the team that reads them most. It can’t be changed later, so take your
        time.
      </p>
      <div className="team-cards">
        {order.map((team) => (
          <label key={team} className="team-card" data-team={team}>
            <input
              type="radio"
              name="team"
              value={team}
              required
              defaultChecked={state.values.team === team}
              aria-invalid={error ? true : undefined}
            />
            <span className="team-card-name">
              <TeamDot team={team} />
              {TEAM_NAMES[team]}
            </span>
            <span className="team-card-line">{TEAM_DESCRIPTIONS[team]}</span>
          </label>
        ))}
      </div>
      {error && (
        <p className="form-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </fieldset>
  );
}
