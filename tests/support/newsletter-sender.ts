// Sends due newsletter issues in a separate process, which a test can kill at any step.

import { closeDatabase } from "#lib/db/database.ts";
import { sendDueIssues } from "#lib/newsletter/send-issues.ts";

await sendDueIssues();
await closeDatabase();
process.exit(0);
