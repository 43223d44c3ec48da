"use client";
// Runs the scripts of a post's page: they count the read, mark the section in the table of contents, and
// save the post.

import { useEffect } from "react";
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

interface Props {
  readonly slug: string;
  readonly readingMinutes: number;
  /** False for drafts. */
  readonly isCounted: boolean;
}

/** Renders nothing. `data-article-end` marks the end of the post. */
export function ReadingTracker({ slug, readingMinutes, isCounted }: Props) {
  useEffect(() => {
    document.addEventListener("submit", onSubmit);
    return () => document.removeEventListener("submit", onSubmit);
  }, []);
  useEffect(() => trackSection(slug), [slug]);
  useEffect(
    () => (isCounted ? countReading(slug, readingMinutes) : undefined),
    [slug, readingMinutes, isCounted],
  );
  return null;
}
