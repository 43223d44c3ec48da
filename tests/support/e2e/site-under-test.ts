// Defines the ports, folders and secrets of the site under test and of its doubles.

/** Set by playwright.members.config.ts: the site is a cluster, reached through its edge in ams. */
export const IS_CLUSTER = process.env.SITE_UNDER_TEST === "cluster";

/** `npm test` runs parts of the tests at the same time, on different sites. */
export const FIRST_SITE = Number(process.env.E2E_FIRST_SITE ?? 0);
/** Each Playwright worker has its own site, started by the server with the same index. */
const INDEX = Number(
  process.env.SITE_INDEX ?? FIRST_SITE + Number(process.env.TEST_PARALLEL_INDEX ?? 0),
);
export const PORTS_PER_SITE = 10;
const SHIFT = PORTS_PER_SITE * INDEX;
/** The port of the first region's edge; ams has the next one. */
export const CLUSTER_PORT = 3150;
export const PORT = IS_CLUSTER ? CLUSTER_PORT + 1 : 3117 + SHIFT;
/** On a cluster, one server sets every node's clock and serves the emails. */
export const CONTROL_PORT = IS_CLUSTER ? 3158 : 3118 + SHIFT;
export const EMBED_PROVIDER_PORT = IS_CLUSTER ? CONTROL_PORT : 3119 + SHIFT;
export const SMTP_PORT = IS_CLUSTER ? 3159 : 3120 + SHIFT;
/** The site that e2e/attack starts, and its control server. */
export const ATTACK_PORT = 3121 + SHIFT;
export const ATTACK_CONTROL_PORT = 3122 + SHIFT;
/** Databases and posts, recreated for each run. */
export const DATA_DIR = `.data/e2e/${INDEX}`;
export const ATTACK_DIR = `.data/attack/${INDEX}`;
export const SECRET = "only-for-the-browser-tests-0123456789";
/** The source site's cookies, for the running site only, not for its build. */
export const LEGACY_SITE_ENV = {
  LEGACY_COOKIE_SECRET: "the-secret-before-last,of-the-site-before",
  LEGACY_SESSION_COOKIE: "former_session:sessionId",
  LEGACY_CLIENT_COOKIE: "former_client",
} as const;
