// Reads the build's ID, server actions and route handlers from Next's build output.

import { readFileSync } from "node:fs";

const readManifest = (file: string) =>
  JSON.parse(readFileSync(`.next/server/${file}`, "utf8")) as unknown;

export const readBuildId = (): string => readFileSync(".next/BUILD_ID", "utf8").trim();

export interface BuiltAction {
  readonly id: string;
  /** "app/login/actions.ts#requestLoginEmail" */
  readonly name: string;
  /** The pages whose bundles contain it, such as "app/login/page". */
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

/** Returns the id of a server action. Throws if the build doesn't have it. */
export function getActionId(name: string): string {
  const action = readBuiltActions().find((built) => built.name === name);
  if (!action) throw new Error(`The build has no ${name}.`);
  return action.id;
}

export interface BuiltRoute {
  /** The route without groups, such as "/calls/upload/[id]". */
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
