import type { NewsItem } from '../../../market/newsItem.js';
import { number, type OptionsOf, readOptions, text } from '../../../primitives/options.js';
import { rfc3339Ms } from '../../decode/rfc3339.js';
import { isSymbolText } from '../../decode/symbolText.js';
import { wrongField } from '../../decode/wrongField.js';
import type { Unreadable } from '../../session.js';
import { VENDOR } from '../markets.js';
import { type Raw, versionOf } from '../normalise/values.js';
import { type HistorySource, list } from './source.js';

/** Which news. */
export interface MassiveNewsQuery {
  /** A ticker that they are about. Default: all news. */
  readonly symbol?: string;
  /** Published at `from` or later, and before `to`, in epoch milliseconds. Default: all. */
  readonly from?: number;
  readonly to?: number;
}

const QUERY = { symbol: text(), from: number(), to: number() } satisfies OptionsOf<MassiveNewsQuery>;

/** Rows in one answer, at most (https://massive.com/docs/rest/stocks/news). */
const LIMIT = 1_000;

const SENTIMENTS: Readonly<Record<string, number | undefined>> = { positive: 1, neutral: 0, negative: -1 };

/** News, oldest first. The sentiment is the mean of what the vendor says for each ticker, positive 1, neutral 0, negative -1. */
export function news(source: HistorySource, query: MassiveNewsQuery = {}): AsyncIterable<readonly NewsItem[]> {
  const { symbol, from, to } = readOptions('massive: news', query, QUERY);
  return list<NewsItem>(source, {
    range: { of: 'news', symbol: symbol ?? '*', from: from ?? 0, to: to ?? source.now() },
    first: {
      path: '/v2/reference/news',
      query: {
        ticker: symbol,
        'published_utc.gte': from === undefined ? undefined : new Date(from).toISOString(),
        'published_utc.lt': to === undefined ? undefined : new Date(to).toISOString(),
        order: 'asc',
        sort: 'published_utc',
        limit: LIMIT,
      },
    },
    row: newsOf,
  });
}

function newsOf(row: Raw, receivedAt: number): NewsItem | Unreadable {
  const { id, title, article_url: url, tickers = [] } = row;
  const publishedAt = rfc3339Ms(row.published_utc);
  if (typeof id !== 'string' || id === '') return wrongField('id', 'a text', id);
  if (Number.isNaN(publishedAt)) return wrongField('published_utc', 'a time', row.published_utc);
  if (typeof title !== 'string' || title.trim() === '') return wrongField('title', 'a text', title);
  if (typeof url !== 'string' || !/^https?:\/\/[^\s\p{Cc}]+$/iu.test(url) || !URL.canParse(url)) {
    return wrongField('article_url', 'an address', url);
  }
  if (!Array.isArray(tickers) || !tickers.every(isSymbolText))
    return wrongField('tickers', 'a list of tickers', tickers);
  const sentiment = sentimentOf(row.insights);
  const seq = versionOf(receivedAt);
  return { kind: 'news', vendor: VENDOR, id, publishedAt, title, url, symbols: [...new Set(tickers)], sentiment, seq };
}

function sentimentOf(insights: unknown): number | null {
  if (!Array.isArray(insights)) return null;
  const scores = insights.flatMap((insight) => {
    const word = (insight as Raw | null)?.sentiment;
    return typeof word === 'string' ? (SENTIMENTS[word] ?? []) : [];
  });
  return scores.length === 0 ? null : scores.reduce((sum, score) => sum + score, 0) / scores.length;
}
