// Guards the components of a post: one that fails becomes a box, and the rest of the page still
// renders.

import {
  Fragment,
  isValidElement,
  type ElementType,
  type ReactElement,
  type ReactNode,
} from "react";
import { jsx } from "react/jsx-runtime";

export interface GuardOptions {
  /** Returns what replaces the component `name`, after reporting `error`. */
  readonly onFailure: (name: string, error: unknown) => ReactNode;
  /** Returns whether `error` is a signal of the framework, such as a redirect; it is rethrown. */
  readonly isSignal: (error: unknown) => boolean;
  /** The name for components below that have none of their own. */
  readonly name?: string;
  /** In React's server build, a function as a prop of an element can't reach the browser. */
  readonly isServerBuild?: boolean;
}

type AnyFunction = (...args: unknown[]) => unknown;
type AnyElement = ReactElement<Record<string, unknown>>;
interface ClassComponent {
  new (props: object): { props: object; render(): ReactNode };
}

const CLIENT_REFERENCE = Symbol.for("react.client.reference");
const MEMO = Symbol.for("react.memo");
const FORWARD_REF = Symbol.for("react.forward_ref");

/**
 * Returns `node` with each component wrapped. Element types are replaced only in what a component
 * returns, so that components still recognize their children by type.
 */
export function guardTree(node: ReactNode, options: GuardOptions): ReactNode {
  const wrapped = new WeakMap<object, unknown>();
  const guardNode = (value: unknown): ReactNode => {
    try {
      return guardUnchecked(value);
    } catch (error) {
      if (options.isSignal(error)) throw error;
      const type = isValidElement(value) ? value.type : null;
      return markChecked(options.onFailure(nameOf(type, options), error));
    }
  };

  function guardUnchecked(value: unknown): ReactNode {
    if (typeof value !== "object" || value === null) return value as ReactNode;
    if (isValidElement(value)) return guardElement(value as AnyElement);
    if (isIterable(value)) return Array.from(value, guardNode);
    if ("$$typeof" in value) return value as unknown as ReactNode;
    if ("then" in value)
      // Outside the server build, it is data from the server, which is already guarded.
      return options.isServerBuild
        ? Promise.resolve(value as PromiseLike<unknown>).then(guardNode)
        : (value as ReactNode);
    throw new Error("it returns an object, which React cannot show");
  }

  function guardElement(element: AnyElement): ReactNode {
    const { type, props } = element as { type: unknown; props: Record<string, unknown> };
    if (typeof type === "function" && !isClientReference(type))
      return replaceElement(element, wrapFunction(type as AnyFunction), props);
    if (isComponentObject(type)) return replaceElement(element, wrapObject(type), props);
    if (!isElementType(type))
      throw new Error("it is not a component, or its file does not export it");
    if (options.isServerBuild) assertSerializable(type, props);
    const guarded = guardProps(props, typeof type === "function");
    return guarded === props ? element : replaceElement(element, type, guarded);
  }

  /** A component of the browser may show any of its props, other types only `children`. */
  function guardProps(props: Record<string, unknown>, hasSlots: boolean): Record<string, unknown> {
    const changed: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(props)) {
      if (key !== "children" && !(hasSlots && isValidElement(value))) continue;
      const guarded = guardNode(value);
      if (guarded !== value) changed[key] = guarded;
    }
    return Object.keys(changed).length === 0 ? props : { ...props, ...changed };
  }

  function wrapObject(type: { $$typeof: symbol; type?: unknown; render?: unknown }): unknown {
    return remember(type, () =>
      type.$$typeof === MEMO
        ? {
            ...type,
            type: isComponentObject(type.type)
              ? wrapObject(type.type)
              : wrapFunction(type.type as AnyFunction),
          }
        : { ...type, render: wrapFunction(type.render as AnyFunction) },
    );
  }

  function wrapFunction(type: AnyFunction): unknown {
    return remember(type, () => {
      const fail = (error: unknown) => {
        if (options.isSignal(error)) throw error;
        return options.onFailure(nameOf(type, options), error);
      };
      if (isClass(type)) return wrapClass(type, guardNode, fail);
      return (...args: unknown[]) => {
        try {
          const result = type(...args);
          return result instanceof Promise
            ? result.then(guardUnchecked).catch(fail)
            : guardUnchecked(result);
        } catch (error) {
          return fail(error);
        }
      };
    });
  }

  function remember(type: object, make: () => unknown): unknown {
    if (!wrapped.has(type)) wrapped.set(type, make());
    return wrapped.get(type);
  }

  return guardNode(node);
}

function wrapClass(
  type: ClassComponent,
  guardNode: (value: unknown) => ReactNode,
  fail: (error: unknown) => ReactNode,
): unknown {
  class Guarded extends type {
    override render(): ReactNode {
      try {
        return guardNode(super.render());
      } catch (error) {
        return fail(error);
      }
    }
  }
  return new Proxy(Guarded, {
    construct(target, args, newTarget) {
      try {
        return Reflect.construct(target, args, newTarget) as object;
      } catch (error) {
        const box = fail(error);
        return { props: args[0] as object, render: () => box };
      }
    },
  });
}

/** Returns the name that the author gave to a component. */
function nameOf(type: unknown, { name }: Pick<GuardOptions, "name">): string {
  if (name) return name;
  if (typeof type === "string") return `<${type}>`;
  const named = Object(type) as {
    displayName?: string;
    name?: string;
    type?: unknown;
    render?: unknown;
  };
  if (named.displayName || named.name) return named.displayName || named.name!;
  const inner = named.type ?? named.render;
  return inner ? nameOf(inner, {}) : "A component";
}

/** Copies an element with its key. */
function replaceElement(element: AnyElement, type: unknown, props: object): ReactNode {
  // A copy of the props, since React's development build marks the original ones.
  return markChecked(jsx(type as ElementType, { ...props }, element.key ?? undefined));
}

/** Lists in the original have keys, or React has already warned about them. */
function markChecked(node: ReactNode): ReactNode {
  const store = (node as { _store?: { validated: number } } | null)?._store;
  if (store) store.validated = 1;
  return node;
}

/** A function as a prop would fail the whole page when React sends the element to the browser. */
function assertSerializable(type: unknown, props: Record<string, unknown>): void {
  if (type === Fragment) return;
  for (const [key, value] of Object.entries(props))
    if (typeof value === "function" && !isClientReference(value))
      throw new Error(
        `its prop ${key} is a function, which only a component of the browser can have`,
      );
}

const isIterable = (value: object): value is Iterable<unknown> => Symbol.iterator in value;
const isClientReference = (type: object) =>
  (type as { $$typeof?: unknown }).$$typeof === CLIENT_REFERENCE;
const isClass = (type: object): type is ClassComponent =>
  Boolean((type as { prototype?: { isReactComponent?: object } }).prototype?.isReactComponent);

/** Symbols are React's own elements, other objects its contexts and lazy components. */
function isElementType(type: unknown): boolean {
  if (typeof type === "string") return type !== "";
  return (
    typeof type === "symbol" ||
    typeof type === "function" ||
    typeof (type as { $$typeof?: unknown } | null)?.$$typeof === "symbol"
  );
}

function isComponentObject(
  type: unknown,
): type is { $$typeof: symbol; type?: unknown; render?: unknown } {
  if (typeof type !== "object" || type === null) return false;
  const { $$typeof: tag } = type as { $$typeof?: unknown };
  return tag === MEMO || tag === FORWARD_REF;
}
