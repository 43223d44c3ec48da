-- The counters of reads follow PostRead, User and each other in the same statement, whoever writes:
-- a counter that a forgotten code path could miss would be wrong for ever.
-- lib/reading/rebuild-counters.ts computes the same from nothing; a test holds the two together.
--
-- A reader is a member, or an anonymous client id without a member. A row with neither counts as a read of nobody.
-- In PostTeamDay the slug '' stands for the whole site, so that the site's standing costs what a post's does.

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
    INSERT INTO "MemberLastRead" ("userId", "team", "day")
        SELECT "id", "team", NEW."createdAt" / 86400000 FROM "User" WHERE "id" = NEW."userId"
        ON CONFLICT DO UPDATE SET "day" = excluded."day" WHERE excluded."day" > "day";
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
    DELETE FROM "MemberLastRead" WHERE "userId" = OLD."userId"
        AND NOT EXISTS (SELECT 1 FROM "PostRead" WHERE "userId" = OLD."userId");
    UPDATE "MemberLastRead" SET "day" = (SELECT MAX("createdAt") / 86400000 FROM "PostRead" WHERE "userId" = OLD."userId")
        WHERE "userId" = OLD."userId" AND "day" = OLD."createdAt" / 86400000;
END;

-- A claim at log-in gives anonymous reads to a member: out with the old row's share, in with the new one's.
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
    DELETE FROM "MemberLastRead" WHERE "userId" = OLD."userId"
        AND NOT EXISTS (SELECT 1 FROM "PostRead" WHERE "userId" = OLD."userId");
    UPDATE "MemberLastRead" SET "day" = (SELECT MAX("createdAt") / 86400000 FROM "PostRead" WHERE "userId" = OLD."userId")
        WHERE "userId" = OLD."userId" AND "day" = OLD."createdAt" / 86400000;
    INSERT INTO "MemberLastRead" ("userId", "team", "day")
        SELECT "id", "team", NEW."createdAt" / 86400000 FROM "User" WHERE "id" = NEW."userId"
        ON CONFLICT DO UPDATE SET "day" = excluded."day" WHERE excluded."day" > "day";
END;

CREATE TRIGGER "MemberLastRead_inserted" AFTER INSERT ON "MemberLastRead"
BEGIN
    INSERT INTO "TeamActiveDay" ("team", "day", "members") VALUES (NEW."team", NEW."day", 1)
        ON CONFLICT DO UPDATE SET "members" = "members" + 1;
END;

CREATE TRIGGER "MemberLastRead_deleted" AFTER DELETE ON "MemberLastRead"
BEGIN
    UPDATE "TeamActiveDay" SET "members" = "members" - 1 WHERE "team" = OLD."team" AND "day" = OLD."day";
    DELETE FROM "TeamActiveDay" WHERE "team" = OLD."team" AND "day" = OLD."day" AND "members" = 0;
END;

CREATE TRIGGER "MemberLastRead_updated" AFTER UPDATE OF "team", "day" ON "MemberLastRead"
BEGIN
    UPDATE "TeamActiveDay" SET "members" = "members" - 1 WHERE "team" = OLD."team" AND "day" = OLD."day";
    DELETE FROM "TeamActiveDay" WHERE "team" = OLD."team" AND "day" = OLD."day" AND "members" = 0;
    INSERT INTO "TeamActiveDay" ("team", "day", "members") VALUES (NEW."team", NEW."day", 1)
        ON CONFLICT DO UPDATE SET "members" = "members" + 1;
END;

-- An admin may move a member: what they read moves with them, for a standing counts a team's present members.
CREATE TRIGGER "User_team_changed" AFTER UPDATE OF "team" ON "User" WHEN OLD."team" <> NEW."team"
BEGIN
    INSERT INTO "PostTeamDay" ("postSlug", "team", "day", "reads")
        SELECT "postSlug", NEW."team", "createdAt" / 86400000, COUNT(*) FROM "PostRead" WHERE "userId" = NEW."id" GROUP BY 1, 3
        UNION ALL SELECT '', NEW."team", "createdAt" / 86400000, COUNT(*) FROM "PostRead" WHERE "userId" = NEW."id" GROUP BY 3
        ON CONFLICT DO UPDATE SET "reads" = "reads" + excluded."reads";
    UPDATE "PostTeamDay" SET "reads" = "reads" - "moved"."n"
        FROM (
            SELECT "postSlug" AS "slug", "createdAt" / 86400000 AS "on", COUNT(*) AS "n" FROM "PostRead" WHERE "userId" = NEW."id" GROUP BY 1, 2
            UNION ALL SELECT '', "createdAt" / 86400000, COUNT(*) FROM "PostRead" WHERE "userId" = NEW."id" GROUP BY 2
        ) AS "moved"
        WHERE "postSlug" = "moved"."slug" AND "day" = "moved"."on" AND "team" = OLD."team";
    DELETE FROM "PostTeamDay" WHERE "team" = OLD."team" AND "reads" = 0 AND ("postSlug", "day") IN (
        SELECT "postSlug", "createdAt" / 86400000 FROM "PostRead" WHERE "userId" = NEW."id"
        UNION ALL SELECT '', "createdAt" / 86400000 FROM "PostRead" WHERE "userId" = NEW."id");
    UPDATE "MemberLastRead" SET "team" = NEW."team" WHERE "userId" = NEW."id";
END;

-- Before the row goes, while the member's team is still known: the cascade alone would come too late for the counters.
CREATE TRIGGER "User_leaving" BEFORE DELETE ON "User"
BEGIN
    DELETE FROM "MemberLastRead" WHERE "userId" = OLD."id";
    DELETE FROM "PostRead" WHERE "userId" = OLD."id";
END;

-- Reads are counted under the team of the member whose id they hold. If that id changed by cascade, the triggers
-- above would look for a team that is no longer to be found.
CREATE TRIGGER "User_id_never_changes" BEFORE UPDATE OF "id" ON "User" WHEN OLD."id" <> NEW."id"
BEGIN
    SELECT RAISE(ABORT, 'The id of a member never changes.');
END;
