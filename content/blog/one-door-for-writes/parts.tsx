// Renders this post's demos: a slow-motion write queue, and a table of what group commit saves.
"use client";

import { useEffect, useReducer } from "react";
import styles from "./parts.module.css";

/** A commit of 2.5 ms, slowed down 500 times. */
const COMMIT_MS = 1_250;
/** Keeps the demo readable; the real queue holds 10,000. */
const MAX_WAITING = 60;
const KEPT_COMMITS = 6;

interface State {
  readonly grouped: boolean;
  readonly waiting: number;
  /** Writes in the open transaction; 0 if none is open. */
  readonly inside: number;
  /** Sizes of the latest commits, newest first. */
  readonly commits: readonly number[];
  readonly commitCount: number;
  readonly acknowledged: number;
}

type Event =
  | { type: "arrive"; count: number }
  | { type: "begin" }
  | { type: "commit" }
  | { type: "mode"; grouped: boolean }
  | { type: "reset" };

const start: State = {
  grouped: true,
  waiting: 0,
  inside: 0,
  commits: [],
  commitCount: 0,
  acknowledged: 0,
};

function next(state: State, event: Event): State {
  switch (event.type) {
    case "arrive":
      return { ...state, waiting: Math.min(MAX_WAITING, state.waiting + event.count) };
    case "begin": {
      if (state.inside > 0 || state.waiting === 0) return state;
      const inside = state.grouped ? state.waiting : 1;
      return { ...state, inside, waiting: state.waiting - inside };
    }
    case "commit":
      if (state.inside === 0) return state;
      return {
        ...state,
        inside: 0,
        commits: [state.inside, ...state.commits].slice(0, KEPT_COMMITS),
        commitCount: state.commitCount + 1,
        acknowledged: state.acknowledged + state.inside,
      };
    case "mode":
      return { ...start, grouped: event.grouped };
    case "reset":
      return { ...start, grouped: state.grouped };
  }
}

function Writes({ count }: { count: number }) {
  return (
    <span className={styles.writes} aria-hidden="true">
      {Array.from({ length: count }, (_, index) => (
        <i key={index} />
      ))}
    </span>
  );
}

const many = (count: number, thing: string) => `${count} ${thing}${count === 1 ? "" : "s"}`;

/** The write queue, 500 times slower: the reader adds writes and sees which of them share a commit. */
export function WriteQueue() {
  const [state, send] = useReducer(next, start);
  const { grouped, waiting, inside, commits, commitCount, acknowledged } = state;

  useEffect(() => {
    if (inside > 0) {
      const timer = setTimeout(() => send({ type: "commit" }), COMMIT_MS);
      return () => clearTimeout(timer);
    }
    if (waiting > 0) send({ type: "begin" });
  }, [inside, waiting]);

  return (
    <figure className={styles.figure}>
      <div className={styles.controls}>
        <button type="button" onClick={() => send({ type: "arrive", count: 1 })}>
          One write
        </button>
        <button type="button" onClick={() => send({ type: "arrive", count: 10 })}>
          Ten writes
        </button>
        <button type="button" className={styles.quiet} onClick={() => send({ type: "reset" })}>
          Reset
        </button>
        <fieldset>
          <legend>Each commit takes</legend>
          {[true, false].map((value) => (
            <label key={String(value)}>
              <input
                type="radio"
                name="write-queue-mode"
                checked={grouped === value}
                onChange={() => send({ type: "mode", grouped: value })}
              />
              {value ? "all waiting writes" : "one write"}
            </label>
          ))}
        </fieldset>
      </div>
      <div className={styles.lanes}>
        <div>
          <p>Waiting</p>
          <Writes count={waiting} />
        </div>
        <div className={inside > 0 ? styles.busy : undefined}>
          <p>In the transaction</p>
          <Writes count={inside} />
          {inside > 0 && (
            <span
              className={styles.bar}
              key={commitCount}
              style={{ animationDuration: `${COMMIT_MS}ms` }}
              aria-hidden="true"
            />
          )}
        </div>
        <div>
          <p>Committed</p>
          <span className={styles.bundles} aria-hidden="true">
            {commits.map((size, index) => (
              <Writes key={commitCount - index} count={size} />
            ))}
          </span>
        </div>
      </div>
      <p className={styles.result} role="status">
        {acknowledged === 0
          ? "Nothing written yet."
          : `${many(acknowledged, "write")} acknowledged after ${many(commitCount, "commit")}: ${((commitCount * 2.5) / acknowledged).toFixed(2)} ms of commit time per write.`}
      </p>
      <figcaption>
        Slowed down 500 times. A commit takes 2.5 ms on a LiteFS mount; here it takes{" "}
        {(COMMIT_MS / 1_000).toFixed(2)} seconds.
      </figcaption>
    </figure>
  );
}

/** Milliseconds per insert, by how many arrive together; from measure.ts. */
const measured: readonly (readonly [group: number, ms: number])[] = [
  [1, 0.0829],
  [10, 0.0349],
  [100, 0.028],
  [1_000, 0.0233],
];

/** Shows what group commit saves on a plain file. */
export function GroupTable() {
  const slowest = measured[0]?.[1] ?? 1;
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">writes arriving together</th>
          <th scope="col">ms per write</th>
          <td aria-hidden="true" />
        </tr>
      </thead>
      <tbody>
        {measured.map(([group, ms]) => (
          <tr key={group}>
            <th scope="row">{group.toLocaleString("en")}</th>
            <td>{ms.toFixed(3)}</td>
            <td aria-hidden="true">
              <span className={styles.length} style={{ inlineSize: `${(ms / slowest) * 100}%` }} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
