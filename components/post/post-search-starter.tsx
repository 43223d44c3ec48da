"use client";
// Starts the search of the list of posts if React hydrates the page.

import { useRouter } from "next/navigation";
import { useEffect, useRef, useTransition } from "react";
import { isPlainClick } from "#components/ui/is-plain-click.ts";
import { resetField, startPostSearch } from "./start-post-search.ts";

const findList = () => document.querySelector<HTMLElement>("[data-post-search]")!;

/** Renders nothing. `q`: the list's query, which Back and Forward change. */
export function PostSearchStarter({ q }: { q: string }) {
  const router = useRouter();
  const [isPending, startTransition] = useTransition();
  const onShown = useRef(() => {});
  useEffect(
    () =>
      startPostSearch(findList(), {
        isPlainClick,
        showPosts: (href, change) =>
          new Promise((resolve) => {
            onShown.current = resolve;
            startTransition(() => router[change](href, { scroll: false }));
          }),
      }),
    [router],
  );
  useEffect(() => {
    if (!isPending) onShown.current();
  }, [isPending]);
  useEffect(() => resetField(findList()), [q]);
  return null;
}
