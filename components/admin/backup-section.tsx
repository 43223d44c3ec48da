// Renders the backup status that this instance knows, with its problems.

import { Timestamp } from "./timestamp.tsx";
import type { BackupStatus } from "#lib/core/backup-status.ts";
import { formatBytes, formatCount } from "#lib/core/format.ts";

const formatSeconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

function When({ ms }: { ms: number | null | undefined }) {
  return ms == null ? "Never" : <Timestamp ms={ms} />;
}

/** `status` is null until the backup process of this instance has reported. */
export function BackupSection({
  status,
  problems,
}: {
  status: BackupStatus | null;
  problems: readonly string[];
}) {
  const drill = status?.drill;
  const details = [
    ...(status?.problem ? [`Last attempt: ${status.problem}`] : []),
    ...(drill?.problems ?? []).map((problem) => `Drill: ${problem}`),
  ];
  return (
    <section className="desk-section" aria-labelledby="backup">
      <h2 id="backup">Backup</h2>
      {problems.length + details.length > 0 && (
        <div role="alert">
          {problems.length > 0 && <p>{problems.join(" ")}</p>}
          {details.map((text) => (
            <p key={text} className="muted">
              {text}
            </p>
          ))}
        </div>
      )}
      <dl className="backup-times">
        <div>
          <dt>Last backup (UTC)</dt>
          <dd>
            <When ms={status?.completeAtMs} />
          </dd>
        </div>
        <div>
          <dt>Last snapshot (UTC)</dt>
          <dd>
            <When ms={status?.snapshotAtMs} />
          </dd>
        </div>
        <div>
          <dt>Last restore drill (UTC)</dt>
          <dd>
            <When ms={drill?.startedAtMs} />
          </dd>
        </div>
      </dl>
      {drill && drill.problems.length === 0 && (
        <p className="muted">
          The drill restored {formatCount(drill.rows)} rows ({formatBytes(drill.bytes)}) in{" "}
          {formatSeconds(drill.restoreMs)} and found no problems.
        </p>
      )}
    </section>
  );
}
