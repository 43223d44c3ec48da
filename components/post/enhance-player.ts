// Adds a button to a poster that loads a third-party player. Nothing of the player loads before the
// click.

import { isPlayerUrl } from "#lib/posts/link-previews/player-hosts.ts";

const ICON =
  '<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false"><path d="M4 2.5v11l9-5.5z" fill="currentColor"/></svg>';

function createFrame(url: string, title: string): HTMLIFrameElement {
  const frame = document.createElement("iframe");
  frame.title = title;
  frame.loading = "lazy";
  frame.setAttribute(
    "sandbox",
    "allow-scripts allow-same-origin allow-presentation allow-popups allow-forms",
  );
  frame.allow = "autoplay; fullscreen; picture-in-picture; encrypted-media";
  // YouTube plays videos only with a referrer.
  frame.referrerPolicy = "strict-origin-when-cross-origin";
  frame.src = url;
  return frame;
}

/** The data of `stage`: the player's URL, its title, the button's label, and the name of its site. */
export function enhance(stage: HTMLElement): void {
  const { player = "", title = "", action = "", site = "" } = stage.dataset;
  if (!isPlayerUrl(player) || stage.querySelector("button")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "embed-play";
  button.ariaLabel = `${action}: ${title}. Loads from ${site}.`;
  button.innerHTML = ICON;
  button.append(action);
  button.addEventListener("click", () => {
    const frame = createFrame(player, title);
    stage.replaceChildren(frame);
    frame.focus();
  });
  stage.append(button);
}
