"use client";
// Renders the choice of team: radio buttons styled as cards.

import { useId } from "react";
import { TeamDot } from "../team/team-dot.tsx";
import { useActionForm } from "../ui/action-form.tsx";
import type { Team } from "#lib/reading/team.ts";

export interface TeamCard {
  readonly team: Team;
  readonly name: string;
  readonly tagline: string;
}

/** Renders the field "team" with `cards` in this order. */
export function TeamChoice({ cards }: { cards: readonly TeamCard[] }) {
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
        {cards.map(({ team, name, tagline }) => (
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
              {name}
            </span>
            <span className="team-card-line">{tagline}</span>
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
