// Lists what every post may use by name: the site's components and those of the owner's mdx-components.tsx.

import { useMDXComponents as withOwnComponents } from "../../mdx-components.tsx";
import { Embed } from "./embed.tsx";
import type { ComponentType } from "react";

/** The names are PAGE_COMPONENTS of lib/posts/mdx/compiled-post.ts. */
const siteComponents: Readonly<Record<string, ComponentType<never>>> = { Embed };

export const pageComponents = withOwnComponents(siteComponents);
