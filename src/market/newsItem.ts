import * as field from './fields.js';
import type { RecordDescription } from './recordShape.js';

/** A headline. */
export interface NewsItem {
  readonly kind: 'news';
  /** Where the item comes from. */
  readonly vendor: string;
  /** The vendor's identifier. A correction has the id of the item that it corrects. */
  readonly id: string;
  /** In Unix epoch milliseconds, UTC; the fraction carries microseconds. */
  readonly publishedAt: number;
  /** The headline itself. */
  readonly title: string;
  /** An `http` or `https` address. */
  readonly url: string;
  /** The symbols that it is about, as the vendor spells them; empty if it concerns the whole market or the vendor does not say. */
  readonly symbols: readonly string[];
  /** From -1, negative, to 1, positive; `null` or left out where the vendor does not say. */
  readonly sentiment?: number | null | undefined;
  /**
   * The version: of two items with one key, the higher wins, in whatever order they arrive. A safe integer; without one, the
   * sink numbers the item on arrival.
   */
  readonly seq?: number;
}

/** What makes two items the same: vendor and id. */
export function newsKey({ vendor, id }: NewsItem): string {
  return `${vendor}\u0000${id}`;
}

export const NEWS: RecordDescription<NewsItem> = {
  name: 'NewsItem',
  fields: {
    kind: field.literal('news'),
    vendor: field.label,
    id: field.label,
    publishedAt: field.instant,
    title: field.headline,
    url: field.webAddress,
    symbols: field.listOf('an array of symbols', field.symbol),
    sentiment: field.nullable(field.fromMinusOneToOne),
    seq: field.optional(field.seq),
  },
  key: newsKey,
  eventTime: ({ publishedAt }) => publishedAt,
};
