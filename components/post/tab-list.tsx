// Renders the buttons of tabs. The panels are static HTML next to it; enhance-tabs.ts connects them.

import { Enhanced } from "./enhanced.tsx";

export function TabList({ labels }: { readonly labels: readonly string[] }) {
  return (
    <Enhanced script="tabs" className="tab-list" role="tablist">
      {labels.map((label, index) => (
        <button
          key={index}
          type="button"
          role="tab"
          aria-selected={index === 0}
          tabIndex={index === 0 ? 0 : -1}
        >
          {label}
        </button>
      ))}
    </Enhanced>
  );
}
