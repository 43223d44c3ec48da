// Starts the behavior of a post page in the browser: counts the read, marks the section in the
// table of contents, and saves the post.

import { countReading } from "./count-reading.ts";
import { trackSection } from "./track-section.ts";

function onSubmit(event: SubmitEvent): void {
  const form = event.target as HTMLFormElement;
  if (!form.matches("[data-save]")) return;
  event.preventDefault();
  import("./submit-saved-post.ts").then(
    ({ submitSavedPost }) => submitSavedPost(form),
    () => form.submit(),
  );
}

/** Reads the post from `data-article-end`. Returns a function that stops it. */
export function startReading(): () => void {
  const end = document.querySelector<HTMLElement>("[data-article-end]");
  if (!end) return () => {};
  const { slug = "", readingMinutes, isCounted } = end.dataset;
  document.addEventListener("submit", onSubmit);
  const stops = [() => document.removeEventListener("submit", onSubmit), trackSection(slug)];
  if (isCounted !== undefined) stops.push(countReading(slug, Number(readingMinutes)));
  return () => stops.forEach((stop) => stop());
}
