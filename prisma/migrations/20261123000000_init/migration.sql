-- Every date is an integer: milliseconds since 1970-01-01 UTC. The CHECKs refuse the two text forms that
-- SQLite would otherwise mix into the column, where they sort after every number.
-- No post has the slug '': in PostTeamDay and OwnershipChange it stands for the whole site.
-- The default of createdAt is Prisma's; it is text, so the CHECK makes plain SQL name its own time.

CREATE TABLE "User" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP CHECK (typeof("createdAt") = 'integer'),
    "updatedAt" DATETIME NOT NULL CHECK (typeof("updatedAt") = 'integer'),
    "email" TEXT NOT NULL,
    "firstName" TEXT NOT NULL,
    "discordId" TEXT,
    "convertKitId" TEXT,
    "role" TEXT NOT NULL DEFAULT 'MEMBER' CHECK ("role" IN ('ADMIN', 'MEMBER')),
    "team" TEXT NOT NULL CHECK ("team" IN ('RED', 'BLUE', 'YELLOW'))
);

CREATE TABLE "Session" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP CHECK (typeof("createdAt") = 'integer'),
    "userId" TEXT NOT NULL,
    "expirationDate" DATETIME NOT NULL CHECK (typeof("expirationDate") = 'integer'),
    CONSTRAINT "Session_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "Call" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP CHECK (typeof("createdAt") = 'integer'),
    "updatedAt" DATETIME NOT NULL CHECK (typeof("updatedAt") = 'integer'),
    "title" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "keywords" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "base64" TEXT NOT NULL,
    CONSTRAINT "Call_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "PostRead" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP CHECK (typeof("createdAt") = 'integer'),
    "userId" TEXT,
    "clientId" TEXT,
    "postSlug" TEXT NOT NULL CHECK ("postSlug" <> ''),
    CONSTRAINT "PostRead_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "PostTotal" (
    "postSlug" TEXT NOT NULL PRIMARY KEY,
    "reads" INTEGER NOT NULL CHECK ("reads" >= 0)
);

CREATE TABLE "SiteTotal" (
    "id" INTEGER NOT NULL PRIMARY KEY DEFAULT 1 CHECK ("id" = 1),
    "reads" INTEGER NOT NULL CHECK ("reads" >= 0),
    "readers" INTEGER NOT NULL CHECK ("readers" >= 0)
);
INSERT INTO "SiteTotal" ("id", "reads", "readers") VALUES (1, 0, 0);

CREATE TABLE "PostTeamDay" (
    "postSlug" TEXT NOT NULL,
    "team" TEXT NOT NULL CHECK ("team" IN ('RED', 'BLUE', 'YELLOW', 'UNKNOWN')),
    "day" INTEGER NOT NULL,
    "reads" INTEGER NOT NULL CHECK ("reads" >= 0),
    PRIMARY KEY ("postSlug", "day", "team")
) WITHOUT ROWID;

CREATE TABLE "MemberLastRead" (
    "userId" TEXT NOT NULL PRIMARY KEY,
    "team" TEXT NOT NULL CHECK ("team" IN ('RED', 'BLUE', 'YELLOW')),
    "day" INTEGER NOT NULL,
    CONSTRAINT "MemberLastRead_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "TeamActiveDay" (
    "team" TEXT NOT NULL CHECK ("team" IN ('RED', 'BLUE', 'YELLOW')),
    "day" INTEGER NOT NULL,
    "members" INTEGER NOT NULL CHECK ("members" >= 0),
    PRIMARY KEY ("team", "day")
) WITHOUT ROWID;

CREATE TABLE "OwnershipChange" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP CHECK (typeof("createdAt") = 'integer'),
    "postSlug" TEXT NOT NULL,
    "team" TEXT CHECK ("team" IN ('RED', 'BLUE', 'YELLOW'))
);

CREATE TABLE "UsedToken" (
    "nonce" TEXT NOT NULL PRIMARY KEY,
    "expiresAt" DATETIME NOT NULL CHECK (typeof("expiresAt") = 'integer')
);

CREATE TABLE "ContentVersion" (
    "id" INTEGER NOT NULL PRIMARY KEY DEFAULT 1 CHECK ("id" = 1),
    "version" TEXT NOT NULL,
    "previous" TEXT,
    "updatedAt" DATETIME NOT NULL CHECK (typeof("updatedAt") = 'integer')
);

CREATE UNIQUE INDEX "User_email_key" ON "User"("email");
CREATE INDEX "Session_of_a_member" ON "Session"("userId");
CREATE INDEX "Call_of_a_member" ON "Call"("userId");
CREATE INDEX "PostRead_has_member_read" ON "PostRead"("userId", "postSlug", "createdAt");
CREATE INDEX "PostRead_has_client_read" ON "PostRead"("clientId", "postSlug", "createdAt");
CREATE INDEX "OwnershipChange_of_a_post" ON "OwnershipChange"("postSlug", "id");
CREATE INDEX "UsedToken_expired" ON "UsedToken"("expiresAt");
