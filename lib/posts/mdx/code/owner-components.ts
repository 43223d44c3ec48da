// Reads which components mdx-components.tsx offers to every post, from its text.

import { PostError } from "#lib/posts/post-error.ts";

/** The owner's file, in the root of the site. */
export const OWNER_COMPONENTS_FILE = "mdx-components.tsx";

const cachedNames = new Map<string, readonly string[]>();

/**
 * Returns the names in what `useMDXComponents` of `text` returns. What the file imports is not
 * loaded: a component must have its name in this file. Throws PostError if the file is broken.
 */
export async function readOwnerComponentNames(text: string): Promise<readonly string[]> {
  let names = cachedNames.get(text);
  if (!names) {
    try {
      names = await evaluateNames(text);
    } catch (error) {
      const reason = `it can't be read: ${(error as Error).message.split("\n")[0]}`;
      throw new PostError({ file: OWNER_COMPONENTS_FILE, line: 1, reason }, { cause: error });
    }
    cachedNames.clear();
    cachedNames.set(text, names);
  }
  return names;
}

async function evaluateNames(text: string): Promise<readonly string[]> {
  const { transform } = await import("esbuild");
  const { code } = await transform(text, { loader: "tsx", format: "cjs", jsx: "automatic" });
  const commonJs: { exports: { useMDXComponents?: (components: object) => object } } = {
    exports: {},
  };
  // The owner's code, which the site itself runs. Each import is a stub that accepts any use.
  const stub: unknown = new Proxy(function () {}, {
    get: (_, key) => (typeof key === "symbol" ? undefined : stub),
    apply: () => stub,
  });
  // esbuild copies a module's own names, and inherits the rest.
  const requireStub = () => Object.create(stub as object) as unknown;
  new Function("require", "module", "exports", code)(requireStub, commonJs, commonJs.exports);
  const { useMDXComponents: getComponents } = commonJs.exports;
  if (!getComponents) throw new Error("it exports no function useMDXComponents");
  return Object.keys(getComponents({})).filter((name) => /^[A-Z]/.test(name));
}
