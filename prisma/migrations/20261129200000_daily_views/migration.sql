-- Views that started and finished, by referrer (docs/decisions/062).

-- WITHOUT ROWID: what one day counts is in adjacent pages, and a period is one range.
CREATE TABLE "DailyViews" (
    "day" INTEGER NOT NULL CHECK (typeof("day") = 'integer'),
    "postSlug" TEXT NOT NULL,
    "host" TEXT NOT NULL CHECK (length("host") <= 100),
    "started" INTEGER NOT NULL DEFAULT 0 CHECK ("started" >= 0),
    "finished" INTEGER NOT NULL DEFAULT 0 CHECK ("finished" >= 0),
    PRIMARY KEY ("day", "postSlug", "host")
) WITHOUT ROWID;
