// The theme: where the choice is kept, and the script that applies it before the first paint. The same script asks for the late typefaces.

/** What a reader can choose. `system` follows the device and stores nothing. */
export const THEMES = ["light", "dark", "system"] as const;
export type Theme = (typeof THEMES)[number];

/** Key in localStorage. A choice never leaves the browser: no cookie. */
export const THEME_STORAGE_KEY = "theme";

/**
 * Runs inline in head. Sets `data-theme` to `light` or `dark` on the html element, and follows the device while nothing is chosen.
 * Then sets `data-fonts` when the page has loaded, or at once where this visit has loaded them before.
 * Constant, so that a content security policy can allow it by hash. Without it CSS follows the device by itself.
 */
export const THEME_SCRIPT = `(function(d,m){function a(){var t;try{t=localStorage.getItem("${THEME_STORAGE_KEY}")}catch(e){}d.dataset.theme=t==="light"||t==="dark"?t:m.matches?"dark":"light"}a();m.addEventListener("change",a);addEventListener("storage",a);addEventListener("themechange",a)})(document.documentElement,matchMedia("(prefers-color-scheme: dark)"));(function(d){function f(){d.dataset.fonts="";try{sessionStorage.setItem("fonts","")}catch(e){}}var h=null;try{h=sessionStorage.getItem("fonts")}catch(e){}h===null?addEventListener("load",f):f()})(document.documentElement)`;
