"use client";
// Lets the reader choose the light, dark or system theme. CSS hides it without scripts.

import { useSyncExternalStore } from "react";
import { MoonIcon, SunIcon, SystemIcon } from "./icons.tsx";
import { THEMES, THEME_STORAGE_KEY, type Theme } from "#lib/http/theme-script.ts";

const ICONS = { light: SunIcon, dark: MoonIcon, system: SystemIcon } as const;

function readStoredTheme(): Theme {
  try {
    const value = localStorage.getItem(THEME_STORAGE_KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system"; // storage is blocked
  }
}

function storeTheme(theme: Theme): void {
  try {
    if (theme === "system") localStorage.removeItem(THEME_STORAGE_KEY);
    else localStorage.setItem(THEME_STORAGE_KEY, theme);
  } catch {
    // Storage is blocked, so the choice is not saved.
  }
  dispatchEvent(new Event("themechange"));
}

function subscribeToTheme(changed: () => void): () => void {
  addEventListener("storage", changed);
  addEventListener("themechange", changed);
  return () => {
    removeEventListener("storage", changed);
    removeEventListener("themechange", changed);
  };
}

/** Three radio buttons: light, dark, system. */
export function ThemeControl({
  legend,
  labels,
}: {
  legend: string;
  labels: Readonly<Record<Theme, string>>;
}) {
  const theme = useSyncExternalStore(subscribeToTheme, readStoredTheme, () => "system");
  return (
    <fieldset className="theme-control">
      <legend className="visually-hidden">{legend}</legend>
      {THEMES.map((value) => {
        const Icon = ICONS[value];
        return (
          <label key={value} title={labels[value]}>
            <input
              type="radio"
              name="theme"
              value={value}
              checked={theme === value}
              onChange={() => storeTheme(value)}
            />
            <Icon />
            <span className="visually-hidden">{labels[value]}</span>
          </label>
        );
      })}
    </fieldset>
  );
}
