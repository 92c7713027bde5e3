import { from } from 'ix/asynciterable';
import { filter, map } from 'ix/asynciterable/operators';
import { RecentKeys } from '../../policies/recentKeys.js';
import type { HistoryRange } from '../provider.js';
import { ConnectionLost } from '../providerErrors.js';
import { cancellable } from './cancellable.js';
import { maskingErrors } from './maskingErrors.js';
import type { RestClient, RestRequest } from './restClient.js';

export interface PagesConfig<T> {
  /** Asks for the pages. */
  readonly client: RestClient;
  /** What the pacing weighs. */
  readonly range: HistoryRange;
  /** The request for the first page. */
  readonly first: RestRequest;
  /** The request for the page after this one; `undefined` after the last. An address that the vendor gives is a `path`. */
  readonly next: (answer: unknown, request: RestRequest) => RestRequest | undefined;
  /** The records of a page, and what was asked for it. An empty one is passed over. */
  readonly read: (answer: unknown, request: RestRequest) => readonly T[];
}

/** How many requests back a repeated one is noticed. */
const MAX_REMEMBERED = 1_000;

/**
 * The pages of an answer, each asked for when the one before was taken. `return()` cancels the request under way. A vendor whose next
 * page lies at another origin, or is one that it has given before, is a `ConnectionLost`. No error shows a
 * secret of the client.
 */
export function pages<T>(config: PagesConfig<T>): AsyncIterable<readonly T[]> {
  const { read, client } = config;
  const taken = cancellable((signal) =>
    from(answers(config, signal)).pipe(
      map(({ answer, request }) => read(answer, request)),
      filter((page) => page.length > 0),
    ),
  );
  return maskingErrors(taken, client.secrets);
}

interface Page {
  readonly answer: unknown;
  readonly request: RestRequest;
}

async function* answers<T>(config: PagesConfig<T>, signal: AbortSignal): AsyncGenerator<Page> {
  const { client, range, first, next } = config;
  const asked = new RecentKeys(MAX_REMEMBERED);
  for (let request: RestRequest | undefined = first; request; ) {
    const url = client.addressOf(request);
    if (asked.isRepeated(url.href, 0)) {
      throw new ConnectionLost(
        client.name,
        `GET ${url.pathname}: the vendor names a page as the next one that was read before`,
      );
    }
    const answer = await client.json(request, range, signal);
    yield { answer, request };
    request = next(answer, request);
  }
}
