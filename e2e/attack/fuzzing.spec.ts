// An attacker's suite, fifth part: ten thousand generated requests that can't be right, over every action and every handler.

import { ACTION_CASES } from "#tests/support/attack/action-cases.ts";
import { pick, seededRandom } from "#tests/support/attack/fuzz-values.ts";
import {
  makeUnknownActionRequest,
  makeHostileGet,
  makeInvalidActionRequest,
  makeInvalidHandlerRequest,
} from "#tests/support/attack/fuzz-requests.ts";
import { type HandlerCase, splitFieldsAndCookie } from "#tests/support/attack/cases.ts";
import { diffTableHashes } from "#tests/support/attack/table-hashes.ts";
import { expect, test } from "#tests/support/attack/fixtures.ts";
import { HANDLER_CASES } from "#tests/support/attack/handler-cases.ts";
import { type AttackRequest, sendAttack } from "#tests/support/attack/attack-client.ts";
import { readBuiltActions, readBuiltRoutes } from "#tests/support/attack/build-manifest.ts";

const REQUESTS = 10_000;
const AT_ONCE = 16;
/** The database is looked at after so many, so that a change can be found. */
const STRETCH = 500;
const SEED = Number(process.env.ATTACK_SEED ?? 20_261_124);
const MB = 1_048_576;

test(`${REQUESTS} bad requests: no fault, no row changed, nothing told, and the memory stays`, async ({
  newWorld,
  quiet,
  site: { server, db },
}) => {
  test.setTimeout(170_000);
  const world = await newWorld();
  const random = seededRandom(SEED);

  const makers: { name: string; make: () => AttackRequest | null }[] = [];
  const pages: string[] = [];
  for (const [name, given] of Object.entries(ACTION_CASES)) {
    const id = readBuiltActions().find((built) => built.name === name)?.id ?? "";
    const page = typeof given.page === "string" ? given.page : given.page(world);
    pages.push(page);
    // The values are right and whole, for a world of its own that nothing must touch.
    const { fields } = splitFieldsAndCookie(await given.makeValidFields({ world, db }));
    if (Object.keys(given.invalidFields).length > 0)
      makers.push({
        name,
        make: () =>
          makeInvalidActionRequest(random, { id, page, right: fields, wrong: given.invalidFields }),
      });
  }
  const handlers: { name: string; make: () => AttackRequest | null }[] = [];
  for (const [name, given] of Object.entries<HandlerCase>(HANDLER_CASES)) {
    const { path } = await given.makeValidRequest({ world, db });
    handlers.push({
      name,
      make: () => makeInvalidHandlerRequest(random, name, given, path, world),
    });
  }
  const pageMakers = readBuiltRoutes()
    .filter(({ kind, route }) => kind === "page" && !route.startsWith("/_"))
    .map(({ route }) => ({
      name: `GET ${route}`,
      make: () => makeHostileGet(random, route, route.includes("[") ? "/" : route),
    }));
  const others = [
    {
      name: "an action that is not there",
      make: () => makeUnknownActionRequest(random, pick(random, pages)),
    },
  ];
  const visitors = [undefined, world.neighbour.cookie, world.owner.cookie, world.admin.cookie];

  // Once before, so that what a first request costs is not counted.
  for (const { make } of [...makers, ...handlers, ...pageMakers]) {
    const attack = make();
    if (attack) await sendAttack({ ...attack, cookie: pick(random, visitors) });
  }
  const memoryBefore = await server.readMemory();
  let before = await quiet();
  const counts = { actions: 0, handlers: 0, pages: 0, others: 0 };
  const statuses = new Map<number, number>();
  const beganMs = Date.now();

  for (let done = 0; done < REQUESTS; done += STRETCH) {
    const names = new Set<string>();
    const queue: (() => Promise<void>)[] = [];
    while (queue.length < STRETCH) {
      const share = random();
      const [kind, from] =
        share < 0.5
          ? (["actions", makers] as const)
          : share < 0.88
            ? (["handlers", handlers] as const)
            : share < 0.95
              ? (["pages", pageMakers] as const)
              : (["others", others] as const);
      const { name, make } = pick<{ name: string; make: () => AttackRequest | null }>(random, from);
      const attack = make();
      if (!attack) continue;
      const cookie = attack.headers?.cookie === undefined ? pick(random, visitors) : undefined;
      counts[kind] += 1;
      names.add(name);
      queue.push(async () => {
        // Refused before it was sent to its end, the connection may be closed on a body that is too large.
        const got = await sendAttack({ ...attack, cookie }).catch((error: unknown) => {
          if (
            ["ECONNRESET", "EPIPE"].includes((error as NodeJS.ErrnoException).code ?? "") &&
            (attack.body?.length ?? 0) > 500_000
          )
            return { status: 413 };
          throw error;
        });
        statuses.set(got.status, (statuses.get(got.status) ?? 0) + 1);
      });
    }
    let next = 0;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let job = queue[next++]; job; job = queue[next++]) await job();
      }),
    );
    const after = await quiet();
    expect(
      diffTableHashes(before, after),
      `tables that requests ${done} to ${done + STRETCH} (seed ${SEED}) changed; among ${[...names].join(", ")}`,
    ).toEqual([]);
    before = after;
  }
  const seconds = (Date.now() - beganMs) / 1000;
  const memoryAfter = await server.readMemory();
  const told = [...statuses]
    .sort(([a], [b]) => a - b)
    .map(([status, count]) => `${count} × ${status}`)
    .join(", ");
  console.log(
    `attack: ${REQUESTS} bad requests (seed ${SEED}: ${counts.actions} to ${makers.length} actions, ${counts.handlers} to ${handlers.length} handlers, ${counts.pages} to pages, ${counts.others} to actions that are not there) in ${seconds.toFixed(0)} s: ${told}; heap ${(memoryBefore.heap / MB).toFixed(0)} → ${(memoryAfter.heap / MB).toFixed(0)} MB, process ${(memoryAfter.rss / MB).toFixed(0)} MB`,
  );
  expect((memoryAfter.heap - memoryBefore.heap) / MB, "MB that stayed").toBeLessThan(80);
  expect(memoryAfter.rss / MB, "MB of the process").toBeLessThan(900);
  expect(server.readOutput().length, "bytes in the log").toBeLessThan(20 * MB);
  expect((await sendAttack({ path: "/" })).status).toBe(200);
});
