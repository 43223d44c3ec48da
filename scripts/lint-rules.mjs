// Defines the linter's rules for this project (.oxlintrc.jsonc).

/** Returns a rule that reports what matches a selector of ESLint's syntax. */
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
    // A replay is thrown. Code that swallows it goes on working although the response has been sent.
    "no-swallowed-replay": forbid(
      "TryStatement:has(> .block:has(AwaitExpression)) > CatchClause:not(:has(ThrowStatement))",
      "A replay may come through here: throw on what is not an AppError (isAppError).",
    ),
  },
};
