// Logs like lib/core/log.ts, but without needing the site's configuration.

/**
 * Writes `{"time","level","event","region","instance",…fields}` as one line to stdout. Never pass
 * secrets.
 */
export function logEvent(
  level: "info" | "warn" | "error",
  event: string,
  fields: Record<string, unknown> = {},
): void {
  const { INSTANCE: instance, FLY_REGION: region } = process.env;
  const shown = Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      value instanceof Error ? value.message : value,
    ]),
  );
  process.stdout.write(
    `${JSON.stringify({ time: new Date().toISOString(), level, event, ...(region && { region }), ...(instance && { instance }), ...shown })}\n`,
  );
}
