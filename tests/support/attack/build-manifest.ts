// What the build really offers: every server action and every route handler, from Next's own manifests.

import { readFileSync } from "node:fs";

const readManifest = (file: string) =>
  JSON.parse(readFileSync(`.next/server/${file}`, "utf8")) as unknown;

export interface BuiltAction {
  /** Its address in a request. */
  readonly id: string;
  /** "app/login/actions.ts#requestLogin" */
  readonly name: string;
  /** The pages that have it in their bundle, as the app's folders call them: "app/login/page". */
  readonly pages: readonly string[];
}

interface ActionManifest {
  node: Record<
    string,
    { exportedName?: string; filename?: string; workers: Record<string, unknown> }
  >;
  edge: Record<string, unknown>;
}

export function readBuiltActions(): BuiltAction[] {
  const { node, edge } = readManifest("server-reference-manifest.json") as ActionManifest;
  return [...Object.entries(node), ...Object.entries(edge as ActionManifest["node"])].map(
    ([id, { exportedName, filename, workers }]) => ({
      id,
      name: `${filename ?? "?"}#${exportedName ?? "?"}`,
      pages: Object.keys(workers),
    }),
  );
}

export interface BuiltRoute {
  /** The address with its parameters in brackets, without groups: "/calls/upload/[id]". */
  readonly route: string;
  readonly kind: "handler" | "page";
}

export function readBuiltRoutes(): BuiltRoute[] {
  return Object.keys(readManifest("app-paths-manifest.json") as Record<string, string>).map(
    (key) => ({
      route: key.replace(/\/(route|page)$/, "").replace(/\/\([^)]+\)/g, "") || "/",
      kind: key.endsWith("/route") ? ("handler" as const) : ("page" as const),
    }),
  );
}
