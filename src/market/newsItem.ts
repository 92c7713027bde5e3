/** A headline. */
export interface NewsItem {
  readonly kind: 'news';
  readonly vendor: string;
  /** The vendor's own name of the item: a correction has the one of what it corrects. */
  readonly id: string;
  /** In Unix epoch milliseconds, UTC; the fraction carries microseconds. */
  readonly publishedAt: number;
  readonly title: string;
  /** With `http` or `https`. */
  readonly url: string;
  /** Which symbols it is about, upper case; none where it is about all or nobody says. */
  readonly symbols: readonly string[];
  /** From -1, bad, to 1, good; `null` or left out where nobody says. */
  readonly sentiment?: number | null | undefined;
  /**
   * Which version of the item this is: of two with one key, the higher wins, in whatever order they arrive. A safe
   * integer; without one the sink numbers on arrival.
   */
  readonly seq?: number;
}

/** What makes two items the same: vendor and id. */
export function newsKey(item: NewsItem): string {
  return `${item.vendor}\u0000${item.id}`;
}
