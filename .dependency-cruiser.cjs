// Enforces the arrow of docs/architecture.md:
// app → components → features (search, newsletter → calls, posts → members → reading) → http, outbound → db → replication, cache → core.

const tests = "\\.test\\.tsx?$";

/** Forbids `room` to import anything in lib but itself and `allowed`. */
const room = (name, allowed) => ({
  name: `${name}-imports-down`,
  severity: "error",
  from: { path: `^lib/${name}/`, pathNot: tests },
  to: { path: "^lib/", pathNot: `^lib/(${[name, ...allowed].join("|")})/` },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    room("core", []),
    room("replication", ["core"]),
    room("cache", ["core"]),
    room("db", ["replication", "core"]),
    room("outbound", ["db", "replication", "cache", "core"]),
    room("http", ["db", "replication", "cache", "core"]),
    room("reading", ["http", "outbound", "db", "replication", "cache", "core"]),
    room("members", ["reading", "http", "outbound", "db", "replication", "cache", "core"]),
    room("posts", ["members", "reading", "http", "outbound", "db", "replication", "cache", "core"]),
    room("search", ["posts", "calls", "members", "reading", "http", "db", "cache", "core"]),
    room("newsletter", [
      "posts",
      "members",
      "reading",
      "http",
      "outbound",
      "db",
      "replication",
      "cache",
      "core",
    ]),
    room("calls", ["members", "reading", "http", "outbound", "db", "replication", "cache", "core"]),
    {
      name: "lib-is-below-the-programs",
      severity: "error",
      from: { path: "^lib/", pathNot: tests },
      to: { path: "^(app|components|server|cli|scripts)/" },
    },
    {
      name: "programs-import-lib-only",
      comment: "server/ and cli/ are programs of their own beside the site",
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
      comment: "tests and command-line tools run these rooms without Next and React",
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
