-- What a member has agreed to receive, or to have said about them elsewhere. Without a row, nothing is sent.
-- Members from before this table have agreed to nothing here (docs/decisions/050).
CREATE TABLE "Consent" (
    "userId" TEXT NOT NULL,
    "purpose" TEXT NOT NULL CHECK ("purpose" IN ('NEWSLETTER', 'DISCORD')),
    "grantedAt" DATETIME NOT NULL CHECK (typeof("grantedAt") = 'integer'),
    PRIMARY KEY ("userId", "purpose"),
    CONSTRAINT "Consent_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- What waited to be sent without consent is not sent.
DELETE FROM "Delivery" WHERE "kind" = 'NEWSLETTER' OR ("kind" = 'DISCORD' AND "about" = 'A new member, for Discord');
