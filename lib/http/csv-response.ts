// Sends a CSV file as a private download.

/** Returns the response that makes browsers save `csv` as `filename`, which is plain ASCII. */
export const csvResponse = (csv: BodyInit, filename: string): Response =>
  new Response(csv, {
    headers: {
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": `attachment; filename="${filename}"`,
      "cache-control": "private, no-store",
      "x-content-type-options": "nosniff",
    },
  });
