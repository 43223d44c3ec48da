// Loads the module of a post's islands in the browser.

import { type CreateIslands, type IslandModule, requirePageModule } from "./island-module.ts";

/** During a deploy, another instance may not have the newest post for a few seconds. */
const RETRY_DELAYS_MS = [1_000, 3_000, 9_000];

const loading = new Map<string, Promise<IslandModule>>();

/**
 * Returns the module, the same promise for each island of the post. If it can't be loaded, rejects;
 * with `isServed`, never settles instead, so that the server's HTML stays.
 */
export function loadPostCode(hash: string, isServed: boolean): Promise<IslandModule> {
  const key = `${hash} ${isServed}`;
  let promise = loading.get(key);
  if (!promise) {
    promise = importWithRetry(`/post-code/${hash}.js`).catch((error: unknown) => {
      console.error("The code of this post could not be loaded.", error);
      if (isServed) return new Promise<IslandModule>(() => {});
      throw error;
    });
    loading.set(key, promise);
  }
  return promise;
}

async function importWithRetry(url: string): Promise<IslandModule> {
  for (let attempt = 0; ; attempt++) {
    try {
      const specifier = attempt === 0 ? url : `${url}?retry=${attempt}`;
      const loaded = (await import(
        /* webpackIgnore: true */ /* turbopackIgnore: true */ specifier
      )) as {
        default: CreateIslands;
      };
      return loaded.default(requirePageModule);
    } catch (error) {
      const delayMs = RETRY_DELAYS_MS[attempt];
      if (delayMs === undefined) throw error;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }
}
