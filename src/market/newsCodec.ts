import type { Type } from 'io-ts';
import { NEWS, type NewsItem } from './newsItem.js';
import { recordCodec } from './recordCodec.js';

/**
 * Untrusted input to a {@link NewsItem}: it has an id, a title that is not blank and an http or https address, its symbols are
 * upper case, and its sentiment is from -1 to 1, `null` or left out. Fields that an item does not have are left out.
 */
export const newsCodec: Type<NewsItem, NewsItem, unknown> = recordCodec(NEWS);
