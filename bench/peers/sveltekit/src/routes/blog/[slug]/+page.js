// The article is part of the page's module, as with mdsvex, so that it is not in the data as well.
import { html } from "../../../../../shared/article.js";

export const load = ({ data }) => ({ ...data, html });
