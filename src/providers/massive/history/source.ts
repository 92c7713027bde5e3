import { messageOf } from '../../../primitives/messageOf.js';
import type { HistoryRange } from '../../provider.js';
import { BadCredentials, NotEntitled } from '../../providerErrors.js';
import { pages } from '../../rest/pages.js';
import { readRow } from '../../rest/readRow.js';
import type { RestClient, RestRequest } from '../../rest/restClient.js';
import { Unreadable } from '../../session.js';
import type { RejectedElement } from '../../streamConfig.js';
import { lost } from '../failures.js';
import { type MassiveMarket, restTicker, VENDOR } from '../markets.js';
import type { Raw } from '../normalise/values.js';

/** What all requests for history have in common. */
export interface HistorySource {
  readonly client: RestClient;
  readonly market: MassiveMarket;
  /** Of bars: whether splits are taken out of prices and volumes. */
  readonly adjusted: boolean;
  readonly now: () => number;
  /** Receives each row that cannot be read. Without it, such a row ends the history. */
  readonly onRejected: ((rejected: RejectedElement) => void) | undefined;
}

export interface ListConfig<T> {
  /** What the pacing weighs. */
  readonly range: HistoryRange;
  readonly first: RestRequest;
  /** What is asked after the last page of this request. */
  readonly after?: (request: RestRequest) => RestRequest | undefined;
  /** The records of one row. */
  readonly row: (row: Raw, receivedAt: number, request: RestRequest) => T | readonly T[] | Unreadable;
}

/**
 * The pages of a list: `next_url` leads from one to the next, at the configured host only. Where there is nothing, `results` is
 * absent. `status` is `OK`, or `DELAYED` for plans without real-time data.
 */
export function list<T>(source: HistorySource, config: ListConfig<T>): AsyncIterable<readonly T[]> {
  const { client, now, onRejected } = source;
  const { range, first, after, row: read } = config;
  return pages<T>({
    client,
    range,
    first,
    next: (answer, request) => nextPage(answer) ?? after?.(request),
    read: (answer, request) => {
      const at = now();
      const records: T[] = [];
      const about = { client, onRejected, path: pathOf(request.path) };
      const readOne = (row: unknown) =>
        typeof row === 'object' && row !== null ? read(row as Raw, at, request) : new Unreadable(NO_OBJECT);
      for (const row of resultsOf(answer, request.path)) {
        const made = readRow(row, readOne, about);
        if (made === undefined) continue;
        if (Array.isArray(made)) for (const record of made as readonly T[]) records.push(record);
        else records.push(made as T);
      }
      return records;
    },
  });
}

const NO_OBJECT = 'a row must be an object';

function resultsOf(answer: unknown, path: string): readonly unknown[] {
  if (typeof answer !== 'object' || answer === null)
    throw lost(`GET ${pathOf(path)}: the answer is not an object`, answer);
  const { status, error, message, results } = answer as Raw;
  if (status === 'ERROR' || status === 'NOT_AUTHORIZED') {
    const words = messageOf(error ?? message ?? status);
    const cause = { cause: words };
    if (status === 'NOT_AUTHORIZED') throw new NotEntitled(VENDOR, `GET ${pathOf(path)}: ${words}`, cause);
    if (/api key/i.test(words)) throw new BadCredentials(VENDOR, `GET ${pathOf(path)}: ${words}`, cause);
    throw lost(`GET ${pathOf(path)}: ${words}`, words);
  }
  if (results === undefined || results === null) return [];
  if (!Array.isArray(results)) throw lost(`GET ${pathOf(path)}: results is not an array`, answer);
  return results;
}

/** The key is in a header, so that it is in no address: one that a vendor repeats is taken out. */
function nextPage(answer: unknown): RestRequest | undefined {
  const next = (answer as Raw).next_url;
  if (typeof next !== 'string' || next === '') return undefined;
  if (!URL.canParse(next)) throw lost('next_url is not an address', next);
  const url = new URL(next);
  url.searchParams.delete('apiKey');
  return { path: url.href };
}

/** The path of a request, which may be a whole address. */
export function pathOf(path: string): string {
  return URL.canParse(path) ? new URL(path).pathname : path;
}

/** A ticker as part of a path: colons stay as the vendor documents them. */
export function tickerIn(market: MassiveMarket, symbol: string): string {
  return encodeURIComponent(restTicker(market, symbol)).replaceAll('%3A', ':');
}
