"use client";
// Starts the behavior of a post page if React hydrates it.

import { useEffect } from "react";
import { startReading } from "./start-reading.ts";

/** Renders nothing. */
export function ReadingTracker() {
  useEffect(startReading, []);
  return null;
}
