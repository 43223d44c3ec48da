// Reads a post page's data through Prisma, as the Epic Stack does.

import { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";
import {
  cachedForASecond,
  describePage,
  queryShared,
  sessionKeyOf,
} from "../../shared/post-data.js";
import { PrismaClient } from "./generated/client.ts";

const prisma = new PrismaClient({
  adapter: new PrismaBetterSqlite3(
    { url: `file:${process.env.DATABASE_FILE}` },
    { timestampFormat: "unixepoch-ms" },
  ),
});

const readShared = cachedForASecond(() =>
  queryShared((sql, ...values) => prisma.$queryRawUnsafe(sql, ...values)),
);

async function findMember(cookie) {
  const key = sessionKeyOf(cookie);
  if (key === null) return null;
  const session = await prisma.session.findUnique({
    where: { id: key, expirationDate: { gt: new Date() } },
    select: { user: { select: { id: true, firstName: true, team: true, role: true } } },
  });
  return session?.user ?? null;
}

export async function readPage(slug, cookie) {
  const member = await findMember(cookie);
  const reads = member
    ? await prisma.postRead.groupBy({ by: ["postSlug"], where: { userId: member.id } })
    : [];
  return describePage({
    slug,
    member,
    slugs: reads.map(({ postSlug }) => postSlug),
    shared: await readShared(),
  });
}
