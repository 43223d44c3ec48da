// Changes this process's environment and makes the configuration read it again.

import { resetEnv } from "#lib/core/env.ts";
import { resetSiteConfig } from "#lib/core/site-config.ts";

/** Sets variables; undefined removes one. */
export function overrideEnv(variables: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  resetEnv();
  resetSiteConfig();
}
