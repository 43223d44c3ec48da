// The arrow of docs/architecture.md: app → border → domain → adapters → base. A room imports only from the right of it.

const base = "^lib/base/";
const adapters = "^lib/(litefs|launch|db|cache|fetch|mail|outbox)/";
const domain = "^lib/(content|mdx|embeds|posts|reads|teams|members|calls|migrate)/";
const border = "^lib/(primary|session|action)/";
const tests = "\\.test\\.tsx?$|^lib/.*/(test|sample)-[^/]+\\.ts$";

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "base-imports-nothing",
      comment: "base is below every room",
      severity: "error",
      from: { path: base, pathNot: tests },
      to: { path: "^(lib/(?!base/)|app|components|prisma)" },
    },
    {
      name: "adapters-import-base",
      severity: "error",
      from: { path: adapters, pathNot: tests },
      to: { path: `${domain}|${border}|^(app|components)/` },
    },
    {
      name: "domain-imports-down",
      severity: "error",
      from: { path: domain, pathNot: tests },
      to: { path: `${border}|^(app|components)/` },
    },
    {
      name: "domain-rooms-are-strangers",
      comment: "app composes domain rooms; they don't know one another",
      severity: "error",
      from: {
        path: "^lib/(content|mdx|embeds|posts|reads|teams|members|calls|migrate)/",
        pathNot: tests,
      },
      to: { path: domain, pathNot: "^lib/$1/" },
    },
    {
      name: "border-imports-down",
      severity: "error",
      from: { path: border, pathNot: tests },
      to: { path: "^(app|components)/" },
    },
    {
      name: "components-import-no-database",
      comment: "components get data as properties",
      severity: "error",
      from: { path: "^components/", pathNot: tests },
      to: { path: `^lib/(db|cache|fetch|litefs|session|primary)/` },
    },
    {
      name: "lib-runs-without-next",
      comment: "tests and command-line tools run lib without Next and React",
      severity: "error",
      from: { path: "^lib/", pathNot: `${border}|${tests}` },
      to: { path: "^node_modules/(next|react|react-dom)/" },
    },
    {
      name: "tests-stay-out",
      comment: "what ships does not import tests",
      severity: "error",
      from: { path: "^(app|components|lib)/", pathNot: tests },
      to: { path: `^(tests|e2e|bench|scripts)/|${tests}` },
    },
    {
      name: "one-serializer",
      comment: "docs/decisions/010: one file knows next-mdx-remote",
      severity: "error",
      from: { pathNot: "^lib/mdx/serialize\\.ts$" },
      to: { path: "^node_modules/next-mdx-remote/" },
    },
    {
      name: "one-way-to-sqlite",
      comment: "the database is opened in db, the cache file in cache",
      severity: "error",
      from: {
        path: "^(app|components|lib)/",
        pathNot: `^lib/(db|cache|migrate)/|^app/(bench|api/bench-beacon)/|${tests}`,
      },
      to: { path: "^node_modules/better-sqlite3/", dependencyTypesNot: ["type-only"] },
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
    exclude: { path: "^(prisma/generated|\\.next|content/components\\.generated)" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
