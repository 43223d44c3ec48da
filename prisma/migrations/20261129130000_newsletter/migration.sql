-- The site's own newsletter (docs/decisions/055).

-- Who gets it, with or without an account: the row is the consent. Only confirmed addresses have one.
CREATE TABLE "Subscriber" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "email" TEXT NOT NULL,
    "topics" TEXT NOT NULL DEFAULT '[]' CHECK (json_valid("topics")),
    "subscribedAt" DATETIME NOT NULL CHECK (typeof("subscribedAt") = 'integer'),
    "kitId" TEXT
);
CREATE UNIQUE INDEX "Subscriber_email_key" ON "Subscriber" ("email");

INSERT INTO "Subscriber" ("id", "email", "subscribedAt", "kitId")
    SELECT lower(hex(randomblob(16))), lower("email"), MIN("grantedAt"), MAX("convertKitId")
    FROM "Consent" JOIN "User" ON "User"."id" = "userId" WHERE "purpose" = 'NEWSLETTER' GROUP BY lower("email");

-- The previous version of the code reads and writes Consent rows of purpose NEWSLETTER. These triggers keep both tables
-- equal, so that no subscription or withdrawal is lost during a rolling deploy. A later migration drops them.
CREATE TRIGGER "Consent_newsletter_granted" AFTER INSERT ON "Consent" WHEN NEW."purpose" = 'NEWSLETTER'
BEGIN
    INSERT INTO "Subscriber" ("id", "email", "subscribedAt")
        SELECT lower(hex(randomblob(16))), lower("email"), NEW."grantedAt" FROM "User" WHERE "id" = NEW."userId"
        AND NOT EXISTS (SELECT 1 FROM "Subscriber" WHERE "Subscriber"."email" = lower("User"."email"));
END;
CREATE TRIGGER "Consent_newsletter_withdrawn" AFTER DELETE ON "Consent" WHEN OLD."purpose" = 'NEWSLETTER'
BEGIN
    DELETE FROM "Subscriber" WHERE "email" = (SELECT lower("email") FROM "User" WHERE "id" = OLD."userId");
END;
CREATE TRIGGER "Subscriber_inserted" AFTER INSERT ON "Subscriber"
BEGIN
    INSERT INTO "Consent" ("userId", "purpose", "grantedAt")
        SELECT "id", 'NEWSLETTER', NEW."subscribedAt" FROM "User" WHERE "email" = NEW."email" COLLATE NOCASE
        AND NOT EXISTS (SELECT 1 FROM "Consent" WHERE "userId" = "User"."id" AND "purpose" = 'NEWSLETTER');
END;
CREATE TRIGGER "Subscriber_deleted" AFTER DELETE ON "Subscriber"
BEGIN
    DELETE FROM "Consent" WHERE "purpose" = 'NEWSLETTER'
        AND "userId" IN (SELECT "id" FROM "User" WHERE "email" = OLD."email" COLLATE NOCASE);
END;

-- Deleting an account ends its subscription, whichever version of the code deletes it.
CREATE TRIGGER "User_deleted_subscriber" AFTER DELETE ON "User"
BEGIN
    DELETE FROM "Subscriber" WHERE "email" = lower(OLD."email");
END;

CREATE TABLE "NewsletterIssue" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP CHECK (typeof("createdAt") = 'integer'),
    "postSlug" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "intro" TEXT NOT NULL DEFAULT '',
    "state" TEXT NOT NULL DEFAULT 'DRAFT' CHECK ("state" IN ('DRAFT', 'SCHEDULED', 'SENDING', 'SENT', 'CANCELED')),
    "sendAt" DATETIME CHECK ("sendAt" IS NULL OR typeof("sendAt") = 'integer'),
    "startedAt" DATETIME CHECK ("startedAt" IS NULL OR typeof("startedAt") = 'integer'),
    "finishedAt" DATETIME CHECK ("finishedAt" IS NULL OR typeof("finishedAt") = 'integer'),
    "html" TEXT,
    "text" TEXT,
    "recipientCount" INTEGER NOT NULL DEFAULT 0,
    "sentCount" INTEGER NOT NULL DEFAULT 0,
    "problem" TEXT
);
CREATE INDEX "NewsletterIssue_due" ON "NewsletterIssue" ("state", "sendAt");

-- One row a recipient. It names no address, and outlives the subscriber, so that the counts stay right.
CREATE TABLE "NewsletterDelivery" (
    "issueId" INTEGER NOT NULL,
    "subscriberId" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'PENDING' CHECK ("state" IN ('PENDING', 'SENDING', 'SENT', 'FAILED', 'UNCERTAIN')),
    "tries" INTEGER NOT NULL DEFAULT 0,
    "nextTryAt" DATETIME NOT NULL CHECK (typeof("nextTryAt") = 'integer'),
    "error" TEXT,
    PRIMARY KEY ("issueId", "subscriberId"),
    CONSTRAINT "NewsletterDelivery_issueId_fkey" FOREIGN KEY ("issueId") REFERENCES "NewsletterIssue" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "NewsletterDelivery_queue" ON "NewsletterDelivery" ("issueId", "state", "nextTryAt");
CREATE INDEX "NewsletterDelivery_of_a_subscriber" ON "NewsletterDelivery" ("subscriberId");
