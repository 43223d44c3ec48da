// A remark plugin that never returns, for measure.ts.

export default function endless() {
  return () => {
    for (;;);
  };
}
