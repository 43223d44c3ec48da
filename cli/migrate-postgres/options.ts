// Defines the owner's choices for data that does not fit this site.

/** Every choice defaults to "stop": the migration drops or changes nothing silently. */
export interface MigrationOptions {
  /**
   * Columns and tables that this site does not have: `keep` copies them as text into side tables,
   * `drop` leaves them out.
   */
  readonly unknown: "stop" | "keep" | "drop";
  /**
   * Rows that the target's constraints reject (infinite dates, unknown teams, orphans):
   * `quarantine` keeps them in `_quarantined_rows`.
   */
  readonly invalidRows: "stop" | "quarantine";
}

export const DEFAULT_OPTIONS: MigrationOptions = { unknown: "stop", invalidRows: "stop" };
