-- Wrong codes that came with the token of the mail's link are counted apart from those of the browser that asked: a stranger,
-- who has only the latter, must not make the mail worthless for its reader.
ALTER TABLE "LoginChallenge" ADD COLUMN "tokenTries" INTEGER NOT NULL DEFAULT 0 CHECK ("tokenTries" BETWEEN 0 AND 5);
