-- Members and calls. User, Session, Call and PostRead keep exactly the columns they had where the site comes from;
-- what this site knows beyond that stands beside them, in tables of its own.
-- Nothing that lets anybody in is stored as it was sent: tokens and cookies as SHA-256, codes as HMAC.

-- Where a session was begun and last seen. A session without a row here (moved in from elsewhere) is as good as any.
CREATE TABLE "SessionInfo" (
    "sessionId" TEXT NOT NULL PRIMARY KEY,
    "device" TEXT NOT NULL,
    "place" TEXT,
    "lastSeenAt" DATETIME NOT NULL CHECK (typeof("lastSeenAt") = 'integer'),
    CONSTRAINT "SessionInfo_sessionId_fkey" FOREIGN KEY ("sessionId") REFERENCES "Session" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "LoginChallenge" (
    "tokenHash" TEXT NOT NULL PRIMARY KEY,
    "browserHash" TEXT NOT NULL,
    "codeHash" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP CHECK (typeof("createdAt") = 'integer'),
    "expiresAt" DATETIME NOT NULL CHECK (typeof("expiresAt") = 'integer'),
    "usedAt" DATETIME CHECK ("usedAt" IS NULL OR typeof("usedAt") = 'integer'),
    "tries" INTEGER NOT NULL DEFAULT 0 CHECK ("tries" BETWEEN 0 AND 5)
);

-- An address that was proven and has no member yet.
CREATE TABLE "PendingSignup" (
    "browserHash" TEXT NOT NULL PRIMARY KEY,
    "email" TEXT NOT NULL,
    "expiresAt" DATETIME NOT NULL CHECK (typeof("expiresAt") = 'integer')
);

-- The QR code that logs a member in on another device.
CREATE TABLE "DeviceLink" (
    "tokenHash" TEXT NOT NULL PRIMARY KEY,
    "userId" TEXT NOT NULL,
    "expiresAt" DATETIME NOT NULL CHECK (typeof("expiresAt") = 'integer'),
    "usedAt" DATETIME CHECK ("usedAt" IS NULL OR typeof("usedAt") = 'integer'),
    CONSTRAINT "DeviceLink_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "Passkey" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "userId" TEXT NOT NULL,
    "publicKey" BLOB NOT NULL,
    "counter" INTEGER NOT NULL CHECK ("counter" >= 0),
    "transports" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP CHECK (typeof("createdAt") = 'integer'),
    "lastUsedAt" DATETIME CHECK ("lastUsedAt" IS NULL OR typeof("lastUsedAt") = 'integer'),
    CONSTRAINT "Passkey_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- A WebAuthn ceremony that has begun: with a member it adds a passkey, without one it logs somebody in.
CREATE TABLE "PasskeyChallenge" (
    "browserHash" TEXT NOT NULL PRIMARY KEY,
    "challenge" TEXT NOT NULL,
    "userId" TEXT,
    "expiresAt" DATETIME NOT NULL CHECK (typeof("expiresAt") = 'integer'),
    CONSTRAINT "PasskeyChallenge_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- What has to be told to the world after a commit. A row goes when it was told.
CREATE TABLE "Delivery" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP CHECK (typeof("createdAt") = 'integer'),
    "kind" TEXT NOT NULL CHECK ("kind" IN ('MAIL', 'NEWSLETTER', 'DISCORD')),
    "userId" TEXT,
    "about" TEXT NOT NULL,
    "payload" TEXT NOT NULL,
    "tries" INTEGER NOT NULL DEFAULT 0,
    "nextTryAt" DATETIME CHECK ("nextTryAt" IS NULL OR typeof("nextTryAt") = 'integer'),
    "lastError" TEXT,
    CONSTRAINT "Delivery_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- What admins changed. No foreign keys: it outlives those it names.
CREATE TABLE "AuditEvent" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP CHECK (typeof("createdAt") = 'integer'),
    "actorId" TEXT,
    "action" TEXT NOT NULL,
    "subjectId" TEXT NOT NULL,
    "detail" TEXT NOT NULL
);

CREATE TABLE "CallReview" (
    "callId" TEXT NOT NULL PRIMARY KEY,
    "state" TEXT NOT NULL DEFAULT 'NEW' CHECK ("state" IN ('NEW', 'REVIEWING', 'ANSWERED', 'PUBLISHED', 'DECLINED')),
    "changedAt" DATETIME NOT NULL CHECK (typeof("changedAt") = 'integer'),
    "durationMs" INTEGER,
    "reviewerId" TEXT,
    "note" TEXT NOT NULL DEFAULT '',
    "declineReason" TEXT NOT NULL DEFAULT '',
    CONSTRAINT "CallReview_callId_fkey" FOREIGN KEY ("callId") REFERENCES "Call" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "CallAnswer" (
    "callId" TEXT NOT NULL PRIMARY KEY,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP CHECK (typeof("createdAt") = 'integer'),
    "contentType" TEXT NOT NULL,
    "durationMs" INTEGER NOT NULL,
    "audio" BLOB NOT NULL,
    CONSTRAINT "CallAnswer_callId_fkey" FOREIGN KEY ("callId") REFERENCES "Call" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- Published: one episode for a call, whoever clicks, however often. It goes with the call and so with the caller's account.
CREATE TABLE "Episode" (
    "callId" TEXT NOT NULL PRIMARY KEY,
    "number" INTEGER NOT NULL,
    "slug" TEXT NOT NULL,
    "publishedAt" DATETIME NOT NULL CHECK (typeof("publishedAt") = 'integer'),
    "updatedAt" DATETIME NOT NULL CHECK (typeof("updatedAt") = 'integer'),
    "title" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "keywords" TEXT NOT NULL,
    "callerName" TEXT NOT NULL,
    "transcript" TEXT NOT NULL DEFAULT '',
    "joinedType" TEXT,
    "joinedDurationMs" INTEGER,
    "joinedAudio" BLOB,
    CONSTRAINT "Episode_callId_fkey" FOREIGN KEY ("callId") REFERENCES "Call" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- A recording on its way, in parts that a replay can carry.
CREATE TABLE "Upload" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "userId" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP CHECK (typeof("createdAt") = 'integer'),
    "size" INTEGER NOT NULL CHECK ("size" > 0),
    "sha256" TEXT NOT NULL,
    CONSTRAINT "Upload_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "UploadPart" (
    "uploadId" TEXT NOT NULL,
    "number" INTEGER NOT NULL CHECK ("number" >= 0),
    "bytes" BLOB NOT NULL CHECK (length("bytes") BETWEEN 1 AND 524288),
    PRIMARY KEY ("uploadId", "number"),
    CONSTRAINT "UploadPart_uploadId_fkey" FOREIGN KEY ("uploadId") REFERENCES "Upload" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE UNIQUE INDEX "LoginChallenge_browserHash_key" ON "LoginChallenge"("browserHash");
CREATE INDEX "LoginChallenge_expired" ON "LoginChallenge"("expiresAt");
CREATE INDEX "PendingSignup_expired" ON "PendingSignup"("expiresAt");
CREATE INDEX "DeviceLink_of_a_member" ON "DeviceLink"("userId");
CREATE INDEX "Passkey_of_a_member" ON "Passkey"("userId");
CREATE INDEX "PasskeyChallenge_of_a_member" ON "PasskeyChallenge"("userId");
CREATE INDEX "PasskeyChallenge_expired" ON "PasskeyChallenge"("expiresAt");
CREATE INDEX "Delivery_due" ON "Delivery"("nextTryAt");
CREATE INDEX "Delivery_of_a_member" ON "Delivery"("userId");
CREATE INDEX "AuditEvent_about" ON "AuditEvent"("subjectId", "id");
CREATE INDEX "CallReview_queue" ON "CallReview"("state", "changedAt");
CREATE UNIQUE INDEX "Episode_number_key" ON "Episode"("number");
CREATE UNIQUE INDEX "Episode_slug_key" ON "Episode"("slug");
CREATE INDEX "Upload_of_a_member" ON "Upload"("userId", "createdAt");
-- Addresses are stored in lower case; those moved in from elsewhere may not be.
CREATE INDEX "User_by_email" ON "User"("email" COLLATE NOCASE);

-- Every call has a review, whoever stored it.
CREATE TRIGGER "Call_inserted" AFTER INSERT ON "Call"
BEGIN
    INSERT INTO "CallReview" ("callId", "changedAt") VALUES (NEW."id", NEW."createdAt");
END;
INSERT INTO "CallReview" ("callId", "changedAt") SELECT "id", "createdAt" FROM "Call";
