// Enforces the import rules in docs/architecture.md:
// app → components → features (search, newsletter → calls, posts → members → reading) → http, outbound → db → replication, cache → core.

const tests = "\\.test\\.tsx?$";

/** Forbids `folder` from importing anything in lib except itself and `allowed`. */
const folder = (name, allowed) => ({
  name: `${name}-imports-down`,
  severity: "error",
  from: { path: `^lib/${name}/`, pathNot: tests },
  to: { path: "^lib/", pathNot: `^lib/(${[name, ...allowed].join("|")})/` },
});

/** What reading, the lowest feature, imports. The features above it also import it and members. */
const BELOW_READING = ["http", "outbound", "db", "replication", "cache", "core"];
const BELOW_CALLS_AND_POSTS = ["members", "reading", ...BELOW_READING];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    folder("core", []),
    folder("replication", ["core"]),
    folder("cache", ["core"]),
    folder("db", ["replication", "core"]),
    folder("outbound", ["db", "replication", "cache", "core"]),
    folder("http", ["db", "replication", "cache", "core"]),
    folder("reading", BELOW_READING),
    folder("members", ["reading", ...BELOW_READING]),
    folder("posts", BELOW_CALLS_AND_POSTS),
    folder("search", ["posts", "calls", "members", "reading", "http", "db", "cache", "core"]),
    folder("newsletter", ["posts", ...BELOW_CALLS_AND_POSTS]),
    folder("calls", BELOW_CALLS_AND_POSTS),
    {
      name: "lib-is-below-the-programs",
      severity: "error",
      from: { path: "^lib/", pathNot: tests },
      to: { path: "^(app|components|server|cli|scripts)/" },
    },
    {
      name: "programs-import-lib-only",
      comment: "server/ and cli/ are separate programs",
      severity: "error",
      from: { path: "^(server|cli)/", pathNot: tests },
      to: { path: "^(app|components)/" },
    },
    {
      name: "components-import-no-database",
      comment: "components get data as properties",
      severity: "error",
      from: { path: "^components/", pathNot: tests },
      to: { path: "^(app/|lib/(db|cache|outbound)/)" },
    },
    {
      name: "domain-runs-without-next",
      comment: "tests and command-line tools run these folders without Next and React",
      severity: "error",
      from: { path: "^(lib/(?!http/)|cli/|server/(?!site\\.ts$))", pathNot: tests },
      to: { path: "^node_modules/(next|react|react-dom)/" },
    },
    {
      name: "tests-stay-out",
      comment: "what ships does not import tests",
      severity: "error",
      from: {
        path: "^(app|components|lib|server|cli)/",
        pathNot: `${tests}|^cli/migrate-postgres/demo\\.ts$`,
      },
      to: {
        path: `^(tests|e2e|bench|scripts)/|${tests}`,
        pathNot: "^scripts/find-postgres\\.mjs$",
      },
    },
    {
      name: "one-serializer",
      comment: "docs/decisions/010: one file knows next-mdx-remote",
      severity: "error",
      from: { pathNot: "^lib/posts/mdx/serialize\\.ts$" },
      to: { path: "^node_modules/next-mdx-remote/" },
    },
    {
      name: "one-way-to-sqlite",
      comment: "the database is opened in db, the cache file in cache",
      severity: "error",
      from: {
        path: "^(app|components|lib)/",
        pathNot: `^lib/(db|cache)/|${tests}`,
      },
      to: { path: "^node_modules/better-sqlite3/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "sql-in-sql-files",
      comment:
        "docs/decisions/034: the site reads and writes through Prisma; plain SQL is in *.sql.ts",
      severity: "error",
      from: {
        path: "^(app|components|lib)/",
        pathNot: `\\.sql\\.ts$|^lib/(db|cache)/|${tests}`,
      },
      to: { path: "^lib/db/(sql|connection)\\.ts$", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "no-unresolved",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "\\.generated\\.ts$" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(prisma/generated|\\.next|bench/peers/[^/]+/)" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
