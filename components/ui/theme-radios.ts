// Checks the radio button of the stored theme, and stores the reader's choice.

import { THEME_STORAGE_KEY } from "#lib/http/themes.ts";

const radios = () => document.querySelectorAll<HTMLInputElement>(".theme-control input");

function checkStoredTheme(): void {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(THEME_STORAGE_KEY);
  } catch {
    // Storage is blocked: the theme is the system's.
  }
  for (const radio of radios()) radio.checked = radio.value === (stored ?? "system");
}

function storeTheme({ target }: Event): void {
  const radio = target as HTMLInputElement;
  if (!radio.matches(".theme-control input")) return;
  try {
    if (radio.value === "system") localStorage.removeItem(THEME_STORAGE_KEY);
    else localStorage.setItem(THEME_STORAGE_KEY, radio.value);
  } catch {
    // Storage is blocked, so the choice applies to this page only.
    if (radio.value !== "system") {
      document.documentElement.dataset.theme = radio.value;
      return;
    }
  }
  dispatchEvent(new Event("themechange"));
}

/** Returns a function that stops it. */
export function handleThemeRadios(): () => void {
  checkStoredTheme();
  document.addEventListener("change", storeTheme);
  addEventListener("storage", checkStoredTheme);
  // Pages in the back/forward cache get no storage event.
  addEventListener("pageshow", checkStoredTheme);
  return () => {
    document.removeEventListener("change", storeTheme);
    removeEventListener("storage", checkStoredTheme);
    removeEventListener("pageshow", checkStoredTheme);
  };
}
