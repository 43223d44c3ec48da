// Defines the inline script that applies the reader's theme before the first paint and enables the
// deferred fonts.

import { THEME_STORAGE_KEY } from "./themes.ts";

/**
 * Sets `data-theme` on the html element, and `data-fonts` once the page has loaded (immediately on
 * later pages of a visit). Constant, so that the Content-Security-Policy can allow it by hash.
 * Without JavaScript, CSS follows the device.
 */
export const THEME_SCRIPT = `(function(d,m){function a(){var t;try{t=localStorage.getItem("${THEME_STORAGE_KEY}")}catch(e){}d.dataset.theme=t==="light"||t==="dark"?t:m.matches?"dark":"light"}a();m.addEventListener("change",a);addEventListener("storage",a);addEventListener("themechange",a);addEventListener("pageshow",a)})(document.documentElement,matchMedia("(prefers-color-scheme: dark)"));(function(d){function f(){d.dataset.fonts="";try{sessionStorage.setItem("fonts","")}catch(e){}}var h=null;try{h=sessionStorage.getItem("fonts")}catch(e){}h===null?addEventListener("load",f):f()})(document.documentElement)`;
