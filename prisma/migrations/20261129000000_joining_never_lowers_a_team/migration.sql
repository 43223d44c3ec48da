-- A team's score is divided by member time (docs/decisions/049): a member's weight grows from 0 on the day of their first
-- read to 1 six months later, so a new member's reads never lower their team. Only reads from the day of sign-up on count
-- as activity; a member who comes back after more than a year starts again.

ALTER TABLE "MemberLastRead" ADD COLUMN "activeSince" INTEGER NOT NULL DEFAULT 0;

CREATE TABLE "TeamActiveSince" (
    "team" TEXT NOT NULL CHECK ("team" IN ('RED', 'BLUE', 'YELLOW')),
    "day" INTEGER NOT NULL,
    "members" INTEGER NOT NULL CHECK ("members" >= 0),
    PRIMARY KEY ("team", "day")
) WITHOUT ROWID;

-- A tie has no leader; the tied teams are kept, separated by commas.
ALTER TABLE "OwnershipChange" ADD COLUMN "tiedTeams" TEXT NOT NULL DEFAULT '';

-- The divisors with which every post's lead was last checked.
CREATE TABLE "LeadCheck" (
    "id" INTEGER NOT NULL PRIMARY KEY DEFAULT 1 CHECK ("id" = 1),
    "divisors" TEXT NOT NULL
);

DROP TRIGGER "PostRead_inserted";
DROP TRIGGER "PostRead_deleted";
DROP TRIGGER "PostRead_updated";
DROP TRIGGER "MemberLastRead_inserted";
DROP TRIGGER "MemberLastRead_deleted";
DROP TRIGGER "MemberLastRead_updated";

CREATE TRIGGER "PostRead_inserted" AFTER INSERT ON "PostRead"
BEGIN
    INSERT INTO "PostTotal" ("postSlug", "reads") VALUES (NEW."postSlug", 1)
        ON CONFLICT DO UPDATE SET "reads" = "reads" + 1;
    INSERT INTO "PostTeamDay" ("postSlug", "team", "day", "reads")
        SELECT "slug", COALESCE((SELECT "team" FROM "User" WHERE "id" = NEW."userId"), 'UNKNOWN'), NEW."createdAt" / 86400000, 1
        FROM (SELECT NEW."postSlug" AS "slug" UNION ALL SELECT '') WHERE true
        ON CONFLICT DO UPDATE SET "reads" = "reads" + 1;
    UPDATE "SiteTotal" SET "reads" = "reads" + 1, "readers" = "readers" + CASE
        WHEN NEW."userId" IS NOT NULL THEN NOT EXISTS (SELECT 1 FROM "PostRead" WHERE "userId" = NEW."userId" AND "id" <> NEW."id")
        WHEN NEW."clientId" IS NOT NULL THEN NOT EXISTS (SELECT 1 FROM "PostRead" WHERE "clientId" = NEW."clientId" AND "userId" IS NULL AND "id" <> NEW."id")
        ELSE 0 END;
    UPDATE "MemberLastRead" SET "activeSince" = CASE WHEN NEW."createdAt" / 86400000 - "day" <= 365 THEN "activeSince" ELSE NEW."createdAt" / 86400000 END,
        "day" = NEW."createdAt" / 86400000
        WHERE "userId" = NEW."userId" AND "day" < NEW."createdAt" / 86400000;
    INSERT INTO "MemberLastRead" ("userId", "team", "day", "activeSince")
        SELECT "User"."id", "team", "period"."day", "period"."since" FROM "User" JOIN (
            SELECT MAX("day") AS "day", MAX(CASE WHEN "day" - "previous" <= 365 THEN NULL ELSE "day" END) AS "since" FROM (
            SELECT "createdAt" / 86400000 AS "day", LAG("createdAt" / 86400000) OVER (ORDER BY "createdAt") AS "previous" FROM "PostRead"
            WHERE "userId" = NEW."userId" AND "createdAt" / 86400000 >= (SELECT "createdAt" / 86400000 FROM "User" WHERE "id" = NEW."userId"))) AS "period"
        WHERE "User"."id" = NEW."userId" AND "period"."day" IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM "MemberLastRead" WHERE "userId" = NEW."userId" AND "day" = NEW."createdAt" / 86400000)
        ON CONFLICT DO UPDATE SET "day" = excluded."day", "activeSince" = excluded."activeSince";
END;

CREATE TRIGGER "PostRead_deleted" AFTER DELETE ON "PostRead"
BEGIN
    UPDATE "PostTotal" SET "reads" = "reads" - 1 WHERE "postSlug" = OLD."postSlug";
    DELETE FROM "PostTotal" WHERE "postSlug" = OLD."postSlug" AND "reads" = 0;
    UPDATE "PostTeamDay" SET "reads" = "reads" - 1
        WHERE "postSlug" IN (OLD."postSlug", '') AND "day" = OLD."createdAt" / 86400000
        AND "team" = COALESCE((SELECT "team" FROM "User" WHERE "id" = OLD."userId"), 'UNKNOWN');
    DELETE FROM "PostTeamDay" WHERE "postSlug" IN (OLD."postSlug", '') AND "day" = OLD."createdAt" / 86400000 AND "reads" = 0;
    UPDATE "SiteTotal" SET "reads" = "reads" - 1, "readers" = "readers" - CASE
        WHEN OLD."userId" IS NOT NULL THEN NOT EXISTS (SELECT 1 FROM "PostRead" WHERE "userId" = OLD."userId")
        WHEN OLD."clientId" IS NOT NULL THEN NOT EXISTS (SELECT 1 FROM "PostRead" WHERE "clientId" = OLD."clientId" AND "userId" IS NULL)
        ELSE 0 END;
    DELETE FROM "MemberLastRead" WHERE "userId" = OLD."userId" AND NOT EXISTS (
        SELECT 1 FROM "PostRead" WHERE "userId" = OLD."userId"
        AND "createdAt" / 86400000 >= (SELECT "createdAt" / 86400000 FROM "User" WHERE "id" = OLD."userId"));
    UPDATE "MemberLastRead" SET ("day", "activeSince") = (
        SELECT MAX("day") AS "day", MAX(CASE WHEN "day" - "previous" <= 365 THEN NULL ELSE "day" END) AS "since" FROM (
            SELECT "createdAt" / 86400000 AS "day", LAG("createdAt" / 86400000) OVER (ORDER BY "createdAt") AS "previous" FROM "PostRead"
            WHERE "userId" = OLD."userId" AND "createdAt" / 86400000 >= (SELECT "createdAt" / 86400000 FROM "User" WHERE "id" = OLD."userId")))
        WHERE "userId" = OLD."userId";
END;

CREATE TRIGGER "PostRead_updated" AFTER UPDATE OF "id", "userId", "clientId", "postSlug", "createdAt" ON "PostRead"
BEGIN
    UPDATE "PostTotal" SET "reads" = "reads" - 1 WHERE "postSlug" = OLD."postSlug";
    INSERT INTO "PostTotal" ("postSlug", "reads") VALUES (NEW."postSlug", 1)
        ON CONFLICT DO UPDATE SET "reads" = "reads" + 1;
    DELETE FROM "PostTotal" WHERE "postSlug" = OLD."postSlug" AND "reads" = 0;
    UPDATE "PostTeamDay" SET "reads" = "reads" - 1
        WHERE "postSlug" IN (OLD."postSlug", '') AND "day" = OLD."createdAt" / 86400000
        AND "team" = COALESCE((SELECT "team" FROM "User" WHERE "id" = OLD."userId"), 'UNKNOWN');
    INSERT INTO "PostTeamDay" ("postSlug", "team", "day", "reads")
        SELECT "slug", COALESCE((SELECT "team" FROM "User" WHERE "id" = NEW."userId"), 'UNKNOWN'), NEW."createdAt" / 86400000, 1
        FROM (SELECT NEW."postSlug" AS "slug" UNION ALL SELECT '') WHERE true
        ON CONFLICT DO UPDATE SET "reads" = "reads" + 1;
    DELETE FROM "PostTeamDay" WHERE "postSlug" IN (OLD."postSlug", '') AND "day" = OLD."createdAt" / 86400000 AND "reads" = 0;
    UPDATE "SiteTotal" SET "readers" = "readers" - CASE
        WHEN OLD."userId" IS NEW."userId" AND (NEW."userId" IS NOT NULL OR OLD."clientId" IS NEW."clientId") THEN 0
        WHEN OLD."userId" IS NOT NULL THEN NOT EXISTS (SELECT 1 FROM "PostRead" WHERE "userId" = OLD."userId")
        WHEN OLD."clientId" IS NOT NULL THEN NOT EXISTS (SELECT 1 FROM "PostRead" WHERE "clientId" = OLD."clientId" AND "userId" IS NULL)
        ELSE 0 END + CASE
        WHEN OLD."userId" IS NEW."userId" AND (NEW."userId" IS NOT NULL OR OLD."clientId" IS NEW."clientId") THEN 0
        WHEN NEW."userId" IS NOT NULL THEN NOT EXISTS (SELECT 1 FROM "PostRead" WHERE "userId" = NEW."userId" AND "id" <> NEW."id")
        WHEN NEW."clientId" IS NOT NULL THEN NOT EXISTS (SELECT 1 FROM "PostRead" WHERE "clientId" = NEW."clientId" AND "userId" IS NULL AND "id" <> NEW."id")
        ELSE 0 END;
    DELETE FROM "MemberLastRead" WHERE "userId" = OLD."userId" AND NOT EXISTS (
        SELECT 1 FROM "PostRead" WHERE "userId" = OLD."userId"
        AND "createdAt" / 86400000 >= (SELECT "createdAt" / 86400000 FROM "User" WHERE "id" = OLD."userId"));
    UPDATE "MemberLastRead" SET ("day", "activeSince") = (
        SELECT MAX("day") AS "day", MAX(CASE WHEN "day" - "previous" <= 365 THEN NULL ELSE "day" END) AS "since" FROM (
            SELECT "createdAt" / 86400000 AS "day", LAG("createdAt" / 86400000) OVER (ORDER BY "createdAt") AS "previous" FROM "PostRead"
            WHERE "userId" = OLD."userId" AND "createdAt" / 86400000 >= (SELECT "createdAt" / 86400000 FROM "User" WHERE "id" = OLD."userId")))
        WHERE "userId" = OLD."userId";
    UPDATE "MemberLastRead" SET "activeSince" = CASE WHEN NEW."createdAt" / 86400000 - "day" <= 365 THEN "activeSince" ELSE NEW."createdAt" / 86400000 END,
        "day" = NEW."createdAt" / 86400000
        WHERE "userId" = NEW."userId" AND "day" < NEW."createdAt" / 86400000;
    INSERT INTO "MemberLastRead" ("userId", "team", "day", "activeSince")
        SELECT "User"."id", "team", "period"."day", "period"."since" FROM "User" JOIN (
            SELECT MAX("day") AS "day", MAX(CASE WHEN "day" - "previous" <= 365 THEN NULL ELSE "day" END) AS "since" FROM (
            SELECT "createdAt" / 86400000 AS "day", LAG("createdAt" / 86400000) OVER (ORDER BY "createdAt") AS "previous" FROM "PostRead"
            WHERE "userId" = NEW."userId" AND "createdAt" / 86400000 >= (SELECT "createdAt" / 86400000 FROM "User" WHERE "id" = NEW."userId"))) AS "period"
        WHERE "User"."id" = NEW."userId" AND "period"."day" IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM "MemberLastRead" WHERE "userId" = NEW."userId" AND "day" = NEW."createdAt" / 86400000)
        ON CONFLICT DO UPDATE SET "day" = excluded."day", "activeSince" = excluded."activeSince";
END;

CREATE TRIGGER "MemberLastRead_inserted" AFTER INSERT ON "MemberLastRead"
BEGIN
    INSERT INTO "TeamActiveDay" ("team", "day", "members") VALUES (NEW."team", NEW."day", 1)
        ON CONFLICT DO UPDATE SET "members" = "members" + 1;
    INSERT INTO "TeamActiveSince" ("team", "day", "members") VALUES (NEW."team", NEW."activeSince", 1)
        ON CONFLICT DO UPDATE SET "members" = "members" + 1;
END;

CREATE TRIGGER "MemberLastRead_deleted" AFTER DELETE ON "MemberLastRead"
BEGIN
    UPDATE "TeamActiveDay" SET "members" = "members" - 1 WHERE "team" = OLD."team" AND "day" = OLD."day";
    DELETE FROM "TeamActiveDay" WHERE "team" = OLD."team" AND "day" = OLD."day" AND "members" = 0;
    UPDATE "TeamActiveSince" SET "members" = "members" - 1 WHERE "team" = OLD."team" AND "day" = OLD."activeSince";
    DELETE FROM "TeamActiveSince" WHERE "team" = OLD."team" AND "day" = OLD."activeSince" AND "members" = 0;
END;

CREATE TRIGGER "MemberLastRead_updated" AFTER UPDATE OF "team", "day", "activeSince" ON "MemberLastRead"
    WHEN OLD."team" <> NEW."team" OR OLD."day" <> NEW."day" OR OLD."activeSince" <> NEW."activeSince"
BEGIN
    UPDATE "TeamActiveDay" SET "members" = "members" - 1 WHERE "team" = OLD."team" AND "day" = OLD."day";
    DELETE FROM "TeamActiveDay" WHERE "team" = OLD."team" AND "day" = OLD."day" AND "members" = 0;
    UPDATE "TeamActiveSince" SET "members" = "members" - 1 WHERE "team" = OLD."team" AND "day" = OLD."activeSince";
    DELETE FROM "TeamActiveSince" WHERE "team" = OLD."team" AND "day" = OLD."activeSince" AND "members" = 0;
    INSERT INTO "TeamActiveDay" ("team", "day", "members") VALUES (NEW."team", NEW."day", 1)
        ON CONFLICT DO UPDATE SET "members" = "members" + 1;
    INSERT INTO "TeamActiveSince" ("team", "day", "members") VALUES (NEW."team", NEW."activeSince", 1)
        ON CONFLICT DO UPDATE SET "members" = "members" + 1;
END;

-- Fill the new column. The triggers fill the new table.
DELETE FROM "MemberLastRead";
INSERT INTO "MemberLastRead" ("userId", "team", "day", "activeSince")
    SELECT "userId", "team", MAX("day"), MAX(CASE WHEN "day" - "previous" <= 365 THEN NULL ELSE "day" END) FROM (
        SELECT "User"."id" AS "userId", "team", "r"."createdAt" / 86400000 AS "day",
            LAG("r"."createdAt" / 86400000) OVER (PARTITION BY "User"."id" ORDER BY "r"."createdAt") AS "previous"
        FROM "PostRead" AS "r" JOIN "User" ON "User"."id" = "r"."userId"
        WHERE "r"."createdAt" / 86400000 >= "User"."createdAt" / 86400000)
    GROUP BY 1;
