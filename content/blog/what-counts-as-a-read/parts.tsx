// Renders this post's demo: sliders that show whether a page view counts as a read.
"use client";

import { useId, useState } from "react";
import styles from "./parts.module.css";

/** Copies of two server-side constants: reading speed, and the share of the reading time that counts. */
const WORDS_PER_MINUTE = 200;
const NEEDED = 0.6;

const minutes = (value: number) => {
  const whole = Math.floor(value);
  const seconds = Math.round((value - whole) * 60);
  return seconds === 0 ? `${whole} min` : `${whole} min ${seconds} s`;
};

interface SliderProps {
  readonly label: string;
  readonly shown: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly onChange: (value: number) => void;
}

function Slider({ label, shown, onChange, ...range }: SliderProps) {
  const id = useId();
  return (
    <div className={styles.slider}>
      <label htmlFor={id}>{label}</label>
      <span aria-hidden="true">{shown}</span>
      <input
        id={id}
        type="range"
        {...range}
        aria-valuetext={shown}
        onChange={(event) => onChange(event.currentTarget.valueAsNumber)}
      />
    </div>
  );
}

const RECENT = ["never", "3 days ago", "8 days ago"] as const;

/** Shows sliders for one page view, its timeline, and whether it would count. */
export function WouldItCount() {
  const [words, setWords] = useState(1_300);
  const [open, setOpen] = useState(6);
  const [hidden, setHidden] = useState(1);
  const [end, setEnd] = useState(true);
  const [recent, setRecent] = useState<(typeof RECENT)[number]>("never");
  const name = useId();

  const reading = Math.max(1, Math.ceil(words / WORDS_PER_MINUTE));
  const needed = reading * NEEDED;
  const away = Math.min(hidden, open);
  const visible = open - away;
  const scale = Math.max(open, needed, 1);
  const percent = (value: number) => `${(value / scale) * 100}%`;

  const reasons = [
    visible < needed &&
      `the tab was visible for ${minutes(visible)}, and ${minutes(needed)} are needed`,
    !end && "the end was never on screen",
    recent === "3 days ago" && "this reader’s read was counted within the last 7 days",
  ].filter((reason) => reason !== false);

  return (
    <figure className={styles.figure}>
      <div className={styles.controls}>
        <Slider
          label="Length of the post"
          shown={`${words.toLocaleString("en")} words, ${reading} min read`}
          value={words}
          min={200}
          max={5_000}
          step={100}
          onChange={setWords}
        />
        <Slider
          label="Open for"
          shown={minutes(open)}
          value={open}
          min={0}
          max={30}
          step={0.5}
          onChange={setOpen}
        />
        <Slider
          label="Of that, in a hidden tab"
          shown={minutes(away)}
          value={hidden}
          min={0}
          max={30}
          step={0.5}
          onChange={setHidden}
        />
        <label className={styles.check}>
          <input
            type="checkbox"
            checked={end}
            onChange={(event) => setEnd(event.currentTarget.checked)}
          />{" "}
          The end was on screen
        </label>
        <fieldset>
          <legend>Last counted read</legend>
          {RECENT.map((value) => (
            <label key={value}>
              <input
                type="radio"
                name={name}
                checked={recent === value}
                onChange={() => setRecent(value)}
              />{" "}
              {value}
            </label>
          ))}
        </fieldset>
      </div>
      <div className={styles.track} aria-hidden="true">
        <span className={styles.visible} style={{ inlineSize: percent(visible) }} />
        <span className={styles.hidden} style={{ inlineSize: percent(away) }} />
        <span className={styles.mark} style={{ insetInlineStart: percent(needed) }}>
          <small>60%</small>
        </span>
      </div>
      <p className={styles.result} role="status">
        <strong>{reasons.length === 0 ? "Counts." : "Does not count:"}</strong> {reasons.join("; ")}
        {reasons.length > 0 && "."}
      </p>
      <figcaption>
        The solid part of the bar is time with the tab visible; the hatched part is time with it
        hidden.
      </figcaption>
    </figure>
  );
}
