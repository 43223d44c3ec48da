// Renders the choice of the playback speed, which all players share.

import type { ComponentProps } from "react";
import { PLAYBACK_SPEEDS, setPlaybackSpeed } from "#lib/calls/client/playback-speed.ts";

export const SpeedSelect = ({
  speed,
  ...attributes
}: Pick<ComponentProps<"select">, "className" | "aria-label"> & { readonly speed: number }) => (
  <select
    {...attributes}
    value={speed}
    onChange={({ currentTarget }) => setPlaybackSpeed(Number(currentTarget.value))}
  >
    {PLAYBACK_SPEEDS.map((option) => (
      <option key={option} value={option}>
        {option}×
      </option>
    ))}
  </select>
);
