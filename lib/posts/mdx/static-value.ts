// Evaluates literals in a post, such as <Chart width={300} style={{ color: "red" }} />, without
// running code.

import type { Expression, Program } from "estree";

export type StaticValue =
  string | number | boolean | null | undefined | StaticValue[] | { [key: string]: StaticValue };

/** Values of names, from `export const name = "text"`. */
export type Constants = ReadonlyMap<string, StaticValue>;
const noConstants: Constants = new Map();

/**
 * Returns the value of an expression of literals, arrays, objects and `constants`; null for any
 * other expression.
 */
export function evaluateProgram(
  program: Program | undefined,
  constants: Constants = noConstants,
): { value: StaticValue } | null {
  const [statement, more] = program?.body ?? [];
  if (!statement) return { value: undefined }; // {/* a comment */}
  if (more || statement.type !== "ExpressionStatement") return null;
  return evaluateExpression(statement.expression, constants);
}

/** Returns the value of an expression like evaluateProgram. */
export function evaluateExpression(
  node: Expression,
  constants: Constants = noConstants,
): { value: StaticValue } | null {
  switch (node.type) {
    case "Literal":
      return "regex" in node || "bigint" in node ? null : { value: node.value as StaticValue };
    case "TemplateLiteral":
      return node.expressions.length === 0 ? { value: node.quasis[0]?.value.cooked ?? "" } : null;
    case "Identifier":
      if (constants.has(node.name)) return { value: constants.get(node.name) };
      return node.name === "undefined" ? { value: undefined } : null;
    case "MemberExpression": {
      const object =
        node.object.type === "Super" ? null : evaluateExpression(node.object, constants)?.value;
      const key = node.property;
      if (!object || typeof object !== "object" || Array.isArray(object) || node.computed)
        return null;
      return key.type === "Identifier" && Object.hasOwn(object, key.name)
        ? { value: object[key.name] }
        : null;
    }
    case "UnaryExpression": {
      const inner = evaluateExpression(node.argument, constants);
      if (typeof inner?.value !== "number") return null;
      return node.operator === "-" ? { value: -inner.value } : node.operator === "+" ? inner : null;
    }
    case "ArrayExpression": {
      const list: StaticValue[] = [];
      for (const item of node.elements) {
        const inner =
          item && item.type !== "SpreadElement" ? evaluateExpression(item, constants) : null;
        if (!inner) return null;
        list.push(inner.value);
      }
      return { value: list };
    }
    case "ObjectExpression": {
      const entries: [string, StaticValue][] = [];
      for (const property of node.properties) {
        if (property.type !== "Property" || property.computed || property.kind !== "init")
          return null;
        const key =
          property.key.type === "Identifier"
            ? property.key.name
            : property.key.type === "Literal"
              ? String(property.key.value)
              : null;
        const inner =
          key === null || key === "__proto__"
            ? null
            : evaluateExpression(property.value as Expression, constants);
        if (key === null || !inner) return null;
        entries.push([key, inner.value]);
      }
      return { value: Object.fromEntries(entries) };
    }
    default:
      return null;
  }
}

// Style properties that take a number without a unit, from React.
const unitlessProperties = new Set(
  (
    "animationIterationCount aspectRatio borderImageOutset borderImageSlice borderImageWidth boxFlex columnCount columns flex flexGrow flexShrink " +
    "fontWeight gridArea gridColumn gridColumnEnd gridColumnStart gridRow gridRowEnd gridRowStart lineClamp lineHeight opacity order orphans " +
    "scale tabSize widows zIndex zoom fillOpacity floodOpacity stopOpacity strokeDasharray strokeDashoffset strokeMiterlimit strokeOpacity strokeWidth"
  ).split(" "),
);

/**
 * Returns `{marginTop: 4, color: "red"}` as CSS, by React's rules; null if a value is neither text
 * nor number.
 */
export function styleToCss(style: { [key: string]: StaticValue }): string | null {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(style)) {
    if (value === null || value === undefined || value === false || value === "") continue;
    if (typeof value !== "string" && typeof value !== "number") return null;
    const property = name.startsWith("--")
      ? name
      : name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replace(/^ms-/, "-ms-");
    const unit =
      typeof value === "number" &&
      value !== 0 &&
      !name.startsWith("--") &&
      !unitlessProperties.has(
        name.replace(/^(?:Webkit|Moz|ms)[A-Z]/, (start) => start.at(-1)!.toLowerCase()),
      )
        ? "px"
        : "";
    parts.push(`${property}:${value}${unit}`);
  }
  return parts.join(";");
}
