// Lets server components render elements to HTML. Next doesn't let them import react-dom/server, so
// server/site.ts provides its function under this name.

import type { ReactNode } from "react";
import { peekSingleton } from "#lib/core/singleton.ts";

export type StaticRenderer = (element: ReactNode) => string;

/** Returns undefined in a build and in tests. */
export const findStaticRenderer = (): StaticRenderer | undefined =>
  peekSingleton<StaticRenderer>("static-renderer");
