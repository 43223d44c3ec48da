// Adds the owner's components to every post, without an import. Rebuild the site after a change.

import type { ComponentType } from "react";

type Components = Readonly<Record<string, ComponentType<never>>>;

/**
 * Each name is a component of every post, as in `{ ...components, Chart }`. Write each name here, since
 * the compiler reads them from this file. A name of the site replaces the site's component.
 */
export function useMDXComponents(components: Components): Components {
  return { ...components };
}
