// Fuzzes every action, handler and page with generated requests that are invalid for every sender.

import { ACTION_CASES } from "#tests/support/attack/action-cases.ts";
import { pick, seededRandom } from "#tests/support/random.ts";
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
import { getActionId, readBuiltRoutes } from "#tests/support/attack/build-manifest.ts";

/** `SOAK_KILLS=10` sends 10,000. */
const REQUESTS = process.env.SOAK_KILLS ? 10_000 : 500;
const CONCURRENCY = 16;
/** Requests between two checks of the database. */
const BATCH = 250;
const SEED = Number(process.env.ATTACK_SEED ?? 20_261_124);
const MB = 1_048_576;

test(`${REQUESTS} invalid requests cause no error, no write, no leak and no memory growth`, async ({
  insertFixture,
  hashTablesWhenIdle,
  site: { server, db },
}) => {
  test.setTimeout(170_000);
  const fixture = await insertFixture();
  const random = seededRandom(SEED);

  const actions: { name: string; make: () => AttackRequest | null }[] = [];
  const pages: string[] = [];
  for (const [name, actionCase] of Object.entries(ACTION_CASES)) {
    const id = getActionId(name);
    const page = typeof actionCase.page === "string" ? actionCase.page : actionCase.page(fixture);
    pages.push(page);
    const { fields } = splitFieldsAndCookie(await actionCase.makeValidFields({ fixture, db }));
    if (Object.keys(actionCase.invalidFields).length > 0)
      actions.push({
        name,
        make: () =>
          makeInvalidActionRequest(random, {
            id,
            page,
            validFields: fields,
            invalidFields: actionCase.invalidFields,
          }),
      });
  }
  const handlers: { name: string; make: () => AttackRequest | null }[] = [];
  for (const [name, handlerCase] of Object.entries<HandlerCase>(HANDLER_CASES)) {
    const { path } = handlerCase.makeValidRequest({ fixture, db });
    handlers.push({
      name,
      make: () => makeInvalidHandlerRequest(random, name, handlerCase, path, fixture),
    });
  }
  const pageMakers = readBuiltRoutes()
    .filter(({ kind, route }) => kind === "page" && !route.startsWith("/_"))
    .map(({ route }) => ({
      name: `GET ${route}`,
      make: () => makeHostileGet(random, route, route.includes("[") ? "/" : route),
    }));
  const unknown = [
    {
      name: "an unknown action",
      make: () => makeUnknownActionRequest(random, pick(random, pages)),
    },
  ];
  const cookies = [undefined, fixture.neighbor.cookie, fixture.owner.cookie, fixture.admin.cookie];

  // Warms up, so that first requests do not count as memory growth.
  for (const { make } of [...actions, ...handlers, ...pageMakers]) {
    const attack = make();
    if (attack) await sendAttack({ ...attack, cookie: pick(random, cookies) });
  }
  const memoryBefore = await server.readMemory();
  let before = await hashTablesWhenIdle();
  const counts = { actions: 0, handlers: 0, pages: 0, unknown: 0 };
  const statuses = new Map<number, number>();
  const startedMs = Date.now();

  for (let done = 0; done < REQUESTS; done += BATCH) {
    const names = new Set<string>();
    const queue: (() => Promise<void>)[] = [];
    while (queue.length < BATCH) {
      const share = random();
      const [kind, from] =
        share < 0.5
          ? (["actions", actions] as const)
          : share < 0.88
            ? (["handlers", handlers] as const)
            : share < 0.95
              ? (["pages", pageMakers] as const)
              : (["unknown", unknown] as const);
      const { name, make } = pick<{ name: string; make: () => AttackRequest | null }>(random, from);
      const attack = make();
      if (!attack) continue;
      const cookie = attack.headers?.cookie === undefined ? pick(random, cookies) : undefined;
      counts[kind] += 1;
      names.add(name);
      queue.push(async () => {
        // The server may close the connection while an oversized body is still being sent.
        const response = await sendAttack({ ...attack, cookie }).catch((error: unknown) => {
          if (
            ["ECONNRESET", "EPIPE"].includes((error as NodeJS.ErrnoException).code ?? "") &&
            (attack.body?.length ?? 0) > 500_000
          )
            return { status: 413 };
          throw error;
        });
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      });
    }
    let next = 0;
    await Promise.all(
      Array.from({ length: CONCURRENCY }, async () => {
        for (let job = queue[next++]; job; job = queue[next++]) await job();
      }),
    );
    const after = await hashTablesWhenIdle();
    expect(
      diffTableHashes(before, after),
      `tables changed by requests ${done} to ${done + BATCH} (seed ${SEED}), among ${[...names].join(", ")}`,
    ).toEqual([]);
    before = after;
  }
  const seconds = (Date.now() - startedMs) / 1000;
  const memoryAfter = await server.readMemory();
  const summary = [...statuses]
    .sort(([a], [b]) => a - b)
    .map(([status, count]) => `${count} × ${status}`)
    .join(", ");
  console.log(
    `attack: ${REQUESTS} invalid requests (seed ${SEED}: ${counts.actions} to ${actions.length} actions, ${counts.handlers} to ${handlers.length} handlers, ${counts.pages} to pages, ${counts.unknown} to unknown actions) in ${seconds.toFixed(0)} s: ${summary}; heap ${(memoryBefore.heap / MB).toFixed(0)} → ${(memoryAfter.heap / MB).toFixed(0)} MB, process ${(memoryAfter.rss / MB).toFixed(0)} MB`,
  );
  expect((memoryAfter.heap - memoryBefore.heap) / MB, "MB of heap growth").toBeLessThan(80);
  expect(memoryAfter.rss / MB, "MB of resident memory").toBeLessThan(900);
  expect(server.readOutput().length, "bytes in the log").toBeLessThan(20 * MB);
  expect((await sendAttack({ path: "/" })).status).toBe(200);
});
