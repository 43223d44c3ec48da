// Makes tabs work: shows the panel of the selected tab. Follows the tabs pattern of the ARIA Authoring
// Practices: arrow keys, Home and End select.

let count = 0;

/** The panels of these tabs, not those of tabs within them. */
function findPanels(tabs: Element | null): HTMLElement[] {
  return [...(tabs?.querySelectorAll<HTMLElement>(".tab-panel") ?? [])].filter(
    (panel) => panel.parentElement?.closest(".tabs") === tabs,
  );
}

function findTarget(list: HTMLElement, key: string, selected: number, length: number) {
  const isRtl = getComputedStyle(list).direction === "rtl";
  const target = {
    ArrowRight: selected + (isRtl ? -1 : 1),
    ArrowLeft: selected + (isRtl ? 1 : -1),
    Home: 0,
    End: length - 1,
  }[key];
  return target === undefined ? undefined : (target + length) % length;
}

/** `list` contains the tabs, and is in the same `.tabs` as their panels. */
export function enhance(list: HTMLElement): void {
  const container = list.closest(".tabs");
  // React may run an effect twice.
  if (container?.hasAttribute("data-ready")) return;
  const panels = findPanels(container);
  const tabs = [...list.querySelectorAll<HTMLElement>('[role="tab"]')];
  const id = `tabs-${++count}`;
  let selected = 0;
  const select = (index: number) => {
    selected = index;
    tabs.forEach((tab, i) => {
      tab.ariaSelected = String(i === index);
      tab.tabIndex = i === index ? 0 : -1;
    });
    panels.forEach((panel, i) => (panel.hidden = i !== index));
  };
  tabs.forEach((tab, i) => {
    tab.id = `${id}-tab-${i}`;
    tab.setAttribute("aria-controls", `${id}-panel-${i}`);
    tab.addEventListener("click", () => select(i));
  });
  panels.forEach((panel, i) => {
    panel.id = `${id}-panel-${i}`;
    panel.role = "tabpanel";
    panel.tabIndex = 0;
    panel.setAttribute("aria-labelledby", `${id}-tab-${i}`);
  });
  list.addEventListener("keydown", (event) => {
    // With a modifier, the key is the browser's: Alt+Left goes back.
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const index = findTarget(list, event.key, selected, tabs.length);
    if (index === undefined) return;
    event.preventDefault();
    select(index);
    tabs[index]?.focus();
  });
  /** Selects the tab whose panel contains the URL's target. */
  const showTarget = () => {
    if (!list.isConnected) return removeEventListener("hashchange", showTarget);
    const target = container?.querySelector(":target");
    const index = panels.findIndex((panel) => panel.hidden && panel.contains(target ?? null));
    if (index < 0) return;
    select(index);
    target?.scrollIntoView();
  };
  select(0);
  showTarget();
  addEventListener("hashchange", showTarget);
  container?.setAttribute("data-ready", "");
}
