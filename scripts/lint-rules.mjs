// Defines this project's own lint rules, which .oxlintrc.jsonc turns on.

/** Returns a rule that reports each node that matches a selector in ESLint's syntax. */
const forbid = (selector, message) => ({
  create: (context) => ({ [selector]: (node) => context.report({ node, message }) }),
});

export default {
  meta: { name: "lectern" },
  rules: {
    "no-process-env": forbid(
      "MemberExpression[object.name='process'][property.name='env']",
      "Read the configuration through env from lib/core/env.ts.",
    ),
    // A replay is thrown after its response has been sent. Code that swallows it would keep running.
    "no-swallowed-replay": forbid(
      "TryStatement:has(> .block:has(AwaitExpression)) > CatchClause:not(:has(ThrowStatement))",
      "This may catch a replay: rethrow whatever is not an AppError (isAppError).",
    ),
  },
};
