"use client";
// Runs the scripts of a post's page: they count the read, mark the section in the table of contents, and
// save the post.

import { useEffect } from "react";
import { countReading } from "./count-reading.ts";
import { submitSavedPosts } from "./submit-saved-post.ts";
import { trackSection } from "./track-section.ts";

interface Props {
  readonly slug: string;
  readonly readingMinutes: number;
  /** False for drafts. */
  readonly isCounted: boolean;
}

/** Renders nothing. `data-article-end` marks the end of the post. */
export function ReadingTracker({ slug, readingMinutes, isCounted }: Props) {
  useEffect(submitSavedPosts, []);
  useEffect(() => trackSection(slug), [slug]);
  useEffect(
    () => (isCounted ? countReading(slug, readingMinutes) : undefined),
    [slug, readingMinutes, isCounted],
  );
  return null;
}
