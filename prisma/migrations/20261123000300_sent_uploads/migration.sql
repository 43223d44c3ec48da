-- An upload that became a call stays for a day without its parts: who sends it again, after an answer that got lost,
-- gets that call and not a second one. No foreign key: it also outlives the call.
ALTER TABLE "Upload" ADD COLUMN "callId" TEXT;
