"use client";
// Renders the choice of team: radio buttons styled as cards.

import { useId } from "react";
import { TEAM_NAMES, TeamDot } from "../team/team-dot.tsx";
import { useActionForm } from "../ui/action-form.tsx";
import type { Team } from "#lib/reading/team.ts";

const TEAM_DESCRIPTIONS: Record<Team, string> = {
  RED: "For people who finish what they start, and start the next one.",
  BLUE: "For people who read slowly, check twice and run the code.",
  YELLOW: "For people who start in the middle and follow every link.",
};

/** Renders the field "team" with the cards in `order`. */
export function TeamChoice({ order }: { order: readonly Team[] }) {
  const { state } = useActionForm();
  const id = useId();
  const error = state.errors.team;
  return (
    <fieldset className="team-choice" aria-describedby={`${id}-hint${error ? ` ${id}-error` : ""}`}>
      <legend className="form-legend">Your team</legend>
      <p className="form-hint" id={`${id}-hint`}>
        Your reads count for your team. You can’t switch later; only an admin can change it.
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
