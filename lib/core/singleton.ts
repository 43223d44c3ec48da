// Keeps one value per process, because each Next bundle (pages, handlers, middleware) has its own
// copy of a module.

const processGlobals = globalThis as { __lecternSingletons?: Map<string, unknown> };
const values = (processGlobals.__lecternSingletons ??= new Map<string, unknown>());

/** Returns the value named `name`, which the first call in the process creates. */
export function singleton<T>(name: string, make: () => T): T {
  if (!values.has(name)) values.set(name, make());
  return values.get(name) as T;
}

/** Returns the value named `name`, or undefined if `singleton` has not created it yet. */
export function peekSingleton<T>(name: string): T | undefined {
  return values.get(name) as T | undefined;
}

/** Drops the value named `name`; the next call of `singleton` creates a new one. */
export function resetSingleton(name: string): void {
  values.delete(name);
}
