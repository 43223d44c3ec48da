// Shows its children only if the owner has turned on a feature.

import type { ReactNode } from "react";
import { AppError } from "#lib/core/errors.ts";
import type { Features } from "#lib/core/features.ts";
import { siteConfig } from "#lib/core/site-config.ts";

/** `name` is a field of `features` in site.config.ts. */
export function Feature({ name, children }: { name: keyof Features; children?: ReactNode }) {
  if (!Object.hasOwn(siteConfig.features, name))
    throw new AppError("invalid", `There is no feature "${name}": use teams, calls or members.`);
  return siteConfig.features[name] ? children : null;
}
