import * as t from 'io-ts';
import {
  fromMinusOneToOne,
  headline,
  instant,
  label,
  optional,
  seq,
  symbol,
  unknowable,
  webAddress,
} from './fieldCodecs.js';
import type { NewsItem } from './newsItem.js';
import { recordCodec } from './recordCodec.js';

/**
 * Untrusted input to a {@link NewsItem}: an id, a title that is not blank, an http or https address, symbols upper case,
 * sentiment from -1 to 1, or `null` or left out. Fields that an item does not have are left out.
 */
export const newsCodec: t.Type<NewsItem, NewsItem, unknown> = recordCodec<NewsItem>('NewsItem', {
  kind: t.literal('news'),
  vendor: label,
  id: label,
  publishedAt: instant,
  title: headline,
  url: webAddress,
  symbols: t.readonlyArray(symbol, 'an array of symbols'),
  sentiment: unknowable(fromMinusOneToOne),
  seq: optional(seq),
});
