import js from "@eslint/js";
import next from "@next/eslint-plugin-next";
import hooks from "eslint-plugin-react-hooks";
import globals from "globals";
import ts from "typescript-eslint";

// Where process.env may be read: the parser of the configuration, and what runs before or outside the app.
const mayReadEnv = [
  "lib/core/env.ts",
  "server/log-event.ts",
  "next.config.mjs",
  "instrumentation.ts",
  "middleware.ts",
  "app/error.tsx",
  "vitest.config.ts",
  "playwright.config.ts",
  "playwright.cluster.config.ts",
  "playwright.members.config.ts",
  "eslint.config.js",
  "prisma.config.ts",
  "scripts/**",
  "server/site.ts",
  "server/*/main.ts",
  "server/launcher/apply-migrations.ts",
  "cli/**",
  "tests/**",
  "e2e/**",
  "bench/**",
  "**/*.test.ts",
  "**/*.test.tsx",
];

const throughEnv = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: "Read the configuration through env from lib/core/env.ts.",
};
// A replay is thrown. Code that swallows it goes on working although the response has been sent.
const throughCatch = {
  selector:
    "TryStatement:has(> BlockStatement AwaitExpression) > CatchClause:not(:has(ThrowStatement))",
  message: "A replay may come through here: throw on what is not an AppError (isAppError).",
};
const mayReplay = ["app/**/*.{ts,tsx}", "lib/{http,members,replication}/**/*.ts"];

export default ts.config(
  {
    ignores: [
      "node_modules",
      ".next",
      ".node",
      ".data",
      "prisma/generated",
      "next-env.d.ts",
      "public",
      "bench/peers/*/", // other frameworks, as their communities write them
    ],
  },
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [ts.configs.recommended],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { "react-hooks": hooks, "@next/next": next },
    rules: {
      ...next.configs.recommended.rules,
      "@next/next/no-img-element": "off", // pictures are sized and encoded when the site is built
      "@next/next/no-html-link-for-pages": "off", // a plain link loads a page that is already rendered, and no router
      "react-hooks/rules-of-hooks": "error",
      "react-hooks/exhaustive-deps": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": [
        "error",
        { checksVoidReturn: { attributes: false } },
      ],
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/only-throw-error": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrorsIgnorePattern: "^_" },
      ],
      "@typescript-eslint/no-unused-expressions": [
        "error",
        { allowTernary: true, allowShortCircuit: true },
      ],
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-console": "off",
      "no-control-regex": "off", // expressions that remove control characters name them
    },
  },
  {
    files: ["**/*.{js,mjs,cjs}"],
    languageOptions: { globals: globals.node },
  },
  {
    files: ["**/*.{ts,tsx,js,mjs}"],
    ignores: mayReadEnv,
    rules: {
      "no-restricted-syntax": ["error", throughEnv],
    },
  },
  {
    files: ["{app,components,lib}/**/*.{ts,tsx}"],
    ignores: ["**/*.test.ts", "**/*.test.tsx"],
    rules: {
      "no-restricted-globals": [
        "error",
        {
          name: "fetch",
          message:
            "Go out through lib/outbound/fetch: it has a deadline, a limit and refuses private addresses.",
        },
      ],
    },
  },
  {
    files: ["{app,components,lib}/**/*.{ts,tsx}"],
    ignores: ["**/*.sql.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        ...["$queryRaw", "$queryRawUnsafe", "$executeRaw", "$executeRawUnsafe"].map((property) => ({
          property,
          message: "Plain SQL is in *.sql.ts files: docs/decisions/034.",
        })),
      ],
    },
  },
  {
    files: mayReplay,
    ignores: ["**/*.test.ts", "**/*.test.tsx", "app/error.tsx"],
    rules: { "no-restricted-syntax": ["error", throughEnv, throughCatch] },
  },
  {
    files: ["middleware.ts"],
    rules: { "no-restricted-syntax": ["error", throughCatch] },
  },
  {
    // Playwright's fixtures take a function called use.
    files: ["e2e/**/*.ts", "tests/support/**/*.ts"],
    rules: { "react-hooks/rules-of-hooks": "off" },
  },
  {
    // A component in the browser fetches from its own site.
    files: ["components/**/*.{ts,tsx}", "lib/calls/client/**/*.ts", "app/**/*.tsx"],
    rules: { "no-restricted-globals": "off" },
  },
);
