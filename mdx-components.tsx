// The owner's components: what every post may use without an import.

import type { ComponentType } from "react";

type Components = Readonly<Record<string, ComponentType<never>>>;

/** Each name is a component of every post; one of the site's names replaces the site's component. */
export function useMDXComponents(components: Components): Components {
  return { ...components };
}
