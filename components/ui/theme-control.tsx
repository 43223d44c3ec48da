// Renders the choice between the light, dark and system theme. CSS hides it without scripts.

import { THEMES, type Theme } from "#lib/http/themes.ts";
import { MoonIcon, SunIcon, SystemIcon } from "./icons.tsx";

const ICONS = { light: SunIcon, dark: MoonIcon, system: SystemIcon } as const;

/** Three radio buttons: light, dark, system. theme-radios.ts checks and handles them. */
export function ThemeControl({
  legend,
  labels,
}: {
  legend: string;
  labels: Readonly<Record<Theme, string>>;
}) {
  return (
    <fieldset className="theme-control">
      <legend className="visually-hidden">{legend}</legend>
      {THEMES.map((value) => {
        const Icon = ICONS[value];
        return (
          <label key={value} title={labels[value]}>
            <input type="radio" name="theme" value={value} defaultChecked={value === "system"} />
            <Icon />
            <span className="visually-hidden">{labels[value]}</span>
          </label>
        );
      })}
    </fieldset>
  );
}
