// A remark plugin that never comes back: for measure.ts beside it.

export default function endless() {
  return () => {
    for (;;);
  };
}
