"use client";
// Tells a component whether its buttons work yet.

import { useSyncExternalStore } from "react";

const subscribeToNothing = () => () => {};

/** Returns false on the server and until React has hydrated the component, then true. */
export const useIsHydrated = (): boolean =>
  useSyncExternalStore(
    subscribeToNothing,
    () => true,
    () => false,
  );
