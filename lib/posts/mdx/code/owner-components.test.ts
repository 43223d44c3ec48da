import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { htmlFrom, problemOf } from "#tests/support/compile-text.ts";
import { readOwnerComponentNames } from "./owner-components.ts";

const FILE = `
import type { ReactNode } from "react";
import Chart, { type Options } from "./components/chart";
import * as all from "@/everything";
import { Note as Remark } from "./note";
import "./own.css";

const Wrapped = styled(Chart);
const more = { Remark, Wrapped };
function Box({ children }: { children: ReactNode }) {
  return <div>{children}</div>;
}
export function useMDXComponents(components) {
  return { ...components, Chart, Box, ...more, h1: "h2", Aside: all.Aside };
}
function styled(Component) {
  return Object.assign((props) => <Component {...props} />, { displayName: Component.name });
}
`;

test("the names are those of the object that useMDXComponents returns", async () => {
  expect(await readOwnerComponentNames(FILE)).toEqual([
    "Chart",
    "Box",
    "Remark",
    "Wrapped",
    "Aside",
  ]);
});

test("the file of this site can be read", async () => {
  expect(await readOwnerComponentNames(readFileSync("mdx-components.tsx", "utf8"))).toEqual([]);
});

test("a post may use the owner's components", async () => {
  expect(await htmlFrom("<Chart n={1} />", { ownerComponents: FILE })).toBe(
    "<Chart n={1}></Chart>".replace("{1}", "1"),
  );
  expect(await problemOf("<Chart2 />", { ownerComponents: FILE })).toMatch(
    /^1: <Chart2> is not a component of this site \(available: Aside, Box, Callout, Chart,/,
  );
});

test("a component of the owner replaces the site's of the same name", async () => {
  const ownerComponents = "export const useMDXComponents = () => ({ Callout: () => null });";
  expect(await htmlFrom("<Callout>x</Callout>", { ownerComponents })).toBe("<Callout>x</Callout>");
});

test.each([
  ["export const a = 1;", "it can't be read: it exports no function useMDXComponents"],
  ["export function (", /^it can't be read: Transform failed/],
  ["export const useMDXComponents = () => window.x;", "it can't be read: window is not defined"],
])("%s is an error that names the file", async (text, reason) => {
  await expect(readOwnerComponentNames(text)).rejects.toMatchObject({
    problem: {
      file: "mdx-components.tsx",
      reason: typeof reason === "string" ? reason : expect.stringMatching(reason),
    },
  });
});
