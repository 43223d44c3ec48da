// Lists what every post may use by name: the site's components and those of the owner's mdx-components.tsx.

import { useMDXComponents as withOwnComponents } from "../../mdx-components.tsx";
import { Embed } from "./embed.tsx";
import { Feature } from "./feature.tsx";
import { SubscribeForm } from "./subscribe-form.tsx";
import { TabList } from "./tab-list.tsx";
import type { ComponentType } from "react";

/** PAGE_COMPONENTS of lib/posts/mdx/compiled-post.ts, and what plugins/site-components.ts writes. */
const siteComponents: Readonly<Record<string, ComponentType<never>>> = {
  Embed,
  Feature,
  SubscribeForm,
  TabList,
};

export const pageComponents = withOwnComponents(siteComponents);
