// Binds Prisma's client to one transaction's scope.

import { type TransactionScope, endedError } from "./transaction-scope.ts";

/**
 * Returns `target` with its queries limited to `scope`. Prisma's transaction outlives the scope, so a
 * late query would otherwise run in the next scope, which belongs to another request.
 */
export function bindToScope<T extends object>(target: T, scope: TransactionScope): T {
  const bound = new Map<PropertyKey, unknown>();
  const bind = (value: unknown): unknown => {
    if (typeof value === "function")
      return (...args: unknown[]) =>
        new ScopedQuery(scope, value.apply(target, args) as Promise<unknown>);
    return typeof value === "object" && value !== null ? bindToScope(value, scope) : value;
  };
  return new Proxy(target, {
    get(_, key) {
      if (!bound.has(key)) bound.set(key, bind(Reflect.get(target, key)));
      return bound.get(key);
    },
  });
}

/** A Prisma query. Prisma sends it on the first then(). */
class ScopedQuery<T> implements Promise<T> {
  readonly [Symbol.toStringTag] = "PrismaPromise";
  readonly #scope: TransactionScope;
  readonly #query: Promise<T>;

  constructor(scope: TransactionScope, query: Promise<T>) {
    this.#scope = scope;
    this.#query = query;
  }

  #send(): Promise<T> {
    const scope = this.#scope;
    if (!scope.isOpen) return Promise.reject(endedError("a Prisma query"));
    scope.pending = (scope.pending ?? 0) + 1;
    const settle = () => {
      scope.pending! -= 1;
    };
    // Registered before the caller's own handlers, because the scope may end after those.
    void this.#query.then(settle, settle);
    return this.#query;
  }

  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#send().then(onFulfilled, onRejected);
  }

  catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.#send().catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<T> {
    return this.#send().finally(onFinally);
  }
}
