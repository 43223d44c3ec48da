// Draws a key in the style of the site's icons.

export function PasskeyIcon() {
  return (
    <svg
      className="icon"
      viewBox="0 0 16 16"
      width="16"
      height="16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.35"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <circle cx="5.2" cy="10.8" r="3" />
      <path d="m7.4 8.6 6-6M11 5l2.2 2.2M9 7l1.4 1.4" />
    </svg>
  );
}
