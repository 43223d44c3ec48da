"use client";
// Renders the buttons of tabs, and shows the panel of the selected tab. The panels are static HTML
// next to it.

import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";

/** The panels of these tabs, not those of tabs within them. */
function findPanels(list: HTMLElement): HTMLElement[] {
  const tabs = list.closest(".tabs");
  return [...(tabs?.querySelectorAll<HTMLElement>(".tab-panel") ?? [])].filter(
    (panel) => panel.parentElement?.closest(".tabs") === tabs,
  );
}

/** Follows the tabs pattern of the ARIA Authoring Practices: arrow keys, Home and End select. */
export function TabList({ labels }: { readonly labels: readonly string[] }) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const [selected, select] = useState(0);
  useEffect(() => {
    findPanels(list.current!).forEach((panel, index) => {
      panel.id = `${id}-panel-${index}`;
      panel.role = "tabpanel";
      panel.tabIndex = 0;
      panel.setAttribute("aria-labelledby", `${id}-tab-${index}`);
      panel.hidden = index !== selected;
    });
    list.current!.closest(".tabs")?.setAttribute("data-ready", "");
  }, [id, selected]);

  const onKeyDown = (event: KeyboardEvent) => {
    const isRtl = getComputedStyle(list.current!).direction === "rtl";
    const target = {
      ArrowRight: selected + (isRtl ? -1 : 1),
      ArrowLeft: selected + (isRtl ? 1 : -1),
      Home: 0,
      End: labels.length - 1,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const index = (target + labels.length) % labels.length;
    select(index);
    list.current!.querySelectorAll<HTMLElement>('[role="tab"]')[index]?.focus();
  };
  return (
    <div className="tab-list" role="tablist" ref={list} onKeyDown={onKeyDown}>
      {labels.map((label, index) => (
        <button
          key={index}
          type="button"
          role="tab"
          id={`${id}-tab-${index}`}
          aria-selected={index === selected}
          aria-controls={`${id}-panel-${index}`}
          tabIndex={index === selected ? 0 : -1}
          onClick={() => select(index)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}
