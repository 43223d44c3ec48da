"use client";
// Tells a form that another part of the page is in use, so that its success message can disappear.

import { type RefObject, useEffect, useEffectEvent } from "react";

/** Calls `onUse` when a form or button outside of `element` is used. */
export function useElsewhere(element: RefObject<Element | null>, onUse: () => void): void {
  const notify = useEffectEvent(onUse);
  useEffect(() => {
    function handle({ type, target }: Event) {
      if (!(target instanceof Element) || element.current?.contains(target)) return;
      if (type !== "click" || target.closest("button")) notify();
    }
    const types = ["submit", "input", "click"];
    for (const type of types) document.addEventListener(type, handle, true);
    return () => {
      for (const type of types) document.removeEventListener(type, handle, true);
    };
  }, [element]);
}
