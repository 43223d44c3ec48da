"use client";
// Starts what the page of a post does in the browser, on pages that React hydrates.

import { useEffect } from "react";
import { startReading } from "./start-reading.ts";

/** Renders nothing. */
export function ReadingTracker() {
  useEffect(startReading, []);
  return null;
}
