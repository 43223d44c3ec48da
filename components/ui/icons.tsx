// Renders the site's icons: 16 units wide, one stroke, the color of the text.

import type { ReactNode } from "react";

function Icon({ children }: { children: ReactNode }) {
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
      {children}
    </svg>
  );
}

export const SunIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="2.9" />
    <path d="M8 1.4v1.5M8 13.1v1.5M1.4 8h1.5M13.1 8h1.5M3.33 3.33l1.06 1.06M11.6 11.6l1.07 1.07M3.33 12.67l1.06-1.06M11.6 4.4l1.07-1.07" />
  </Icon>
);

export const MoonIcon = () => (
  <Icon>
    <path d="M13.2 9.7A5.6 5.6 0 0 1 6.3 2.8a5.6 5.6 0 1 0 6.9 6.9Z" />
  </Icon>
);

export const SystemIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="5.6" />
    <path d="M8 2.4v11.2A5.6 5.6 0 0 0 8 2.4Z" fill="currentColor" stroke="none" />
  </Icon>
);

export const SearchIcon = () => (
  <Icon>
    <circle cx="7" cy="7" r="4.6" />
    <path d="m10.5 10.5 3.6 3.6" />
  </Icon>
);

export const LinkIcon = () => (
  <Icon>
    <path d="M6.7 9.3a2.6 2.6 0 0 0 3.7 0l2.5-2.5a2.6 2.6 0 0 0-3.7-3.7l-.9.9M9.3 6.7a2.6 2.6 0 0 0-3.7 0L3.1 9.2a2.6 2.6 0 0 0 3.7 3.7l.9-.9" />
  </Icon>
);

export const MailIcon = () => (
  <Icon>
    <path d="M1.9 3.6h12.2v8.8H1.9zM2.2 4l5.8 4.9L13.8 4" />
  </Icon>
);

export const PencilIcon = () => (
  <Icon>
    <path d="m2.4 13.6.7-3.1 7.6-7.6a1.2 1.2 0 0 1 1.7 0l.7.7a1.2 1.2 0 0 1 0 1.7l-7.6 7.6-3.1.7ZM9.5 4.1l2.4 2.4" />
  </Icon>
);

export const BookmarkIcon = () => (
  <Icon>
    <path d="M4 2.2h8v11.4L8 10.4l-4 3.2Z" />
  </Icon>
);

export const ArrowIcon = () => (
  <Icon>
    <path d="M2.2 8h11.4M9.4 3.8 13.6 8l-4.2 4.2" />
  </Icon>
);

export const FeedIcon = () => (
  <Icon>
    <path d="M3 3a10 10 0 0 1 10 10M3 7.2A5.8 5.8 0 0 1 8.8 13" />
    <circle cx="4" cy="12" r="1" fill="currentColor" />
  </Icon>
);

export function PasskeyIcon() {
  return (
    <Icon>
      <circle cx="5.2" cy="10.8" r="3" />
      <path d="m7.4 8.6 6-6M11 5l2.2 2.2M9 7l1.4 1.4" />
    </Icon>
  );
}
