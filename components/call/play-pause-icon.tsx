// Renders the icon of a play button; CSS shows the pause within [data-playing].

export const PlayPauseIcon = () => (
  <svg
    viewBox="0 0 20 20"
    width="20"
    height="20"
    fill="currentColor"
    aria-hidden="true"
    focusable="false"
  >
    <path className="icon-pause" d="M5 3.5h3.6v13H5zM11.4 3.5H15v13h-3.6z" />
    <path className="icon-play" d="M6 3.2v13.6L17 10z" />
  </svg>
);
