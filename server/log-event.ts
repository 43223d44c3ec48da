// One JSON line per event on stdout, like the site's own log, without reading the site's whole configuration.

/** Writes `{"time","level","event","instance",…fields}`. Never pass secrets. */
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
