// Keeps one value per process: each Next bundle (pages, handlers, middleware) has its own copy of a module.

const processGlobals = globalThis as { __lecternSingletons?: Map<string, unknown> };
const values = (processGlobals.__lecternSingletons ??= new Map<string, unknown>());

/** Returns the value called `name`; the first call in the process makes it. */
export function singleton<T>(name: string, make: () => T): T {
  if (!values.has(name)) values.set(name, make());
  return values.get(name) as T;
}

/** Returns the value called `name`, or undefined before the first call of `singleton`. */
export function peekSingleton<T>(name: string): T | undefined {
  return values.get(name) as T | undefined;
}

/** Drops the value called `name`; the next call of `singleton` makes a new one. */
export function resetSingleton(name: string): void {
  values.delete(name);
}
