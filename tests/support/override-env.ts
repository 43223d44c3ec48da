// Changes this process's environment and makes the configuration read it again.

import { resetEnv } from "#lib/core/env.ts";
import { resetSiteConfig } from "#lib/core/site-config.ts";
import { singleton } from "#lib/core/singleton.ts";

/** Sets variables; undefined removes one. */
export function overrideEnv(variables: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  resetEnv();
  resetSiteConfig();
}

/** Restores the environment as it was when this process first called it. */
export function restoreEnv(): void {
  const initial = singleton("testEnvironment", () => ({ ...process.env }));
  for (const name of Object.keys(process.env)) if (!(name in initial)) delete process.env[name];
  Object.assign(process.env, initial);
}
