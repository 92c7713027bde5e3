import type { KnownContract } from '../contracts.js';
import { call } from '../frames.js';
import { FREE } from '../pacing.js';
import type { HistoryJob } from './historyJob.js';

/** The most that TWS gives at a time. */
export const MAX_NEWS = 300;

/** The codes of the providers whose news the account has. */
export function newsProvidersJob(): HistoryJob<readonly string[]> {
  let codes: readonly string[] = [];
  return {
    about: 'news providers',
    cost: FREE,
    answeredBy: 'newsProviders',
    request: () => ({ frame: call('reqNewsProviders') }),
    take([, providers]) {
      const all = Array.isArray(providers) ? (providers as readonly unknown[]) : [];
      codes = all.flatMap((one) => {
        const code = (one as { readonly providerCode?: unknown } | null)?.providerCode;
        return typeof code === 'string' && code !== '' ? [code] : [];
      });
      return true;
    },
    result: () => codes,
  };
}

export interface NewsPage {
  /** Elements of the provider, newest first. */
  readonly elements: readonly (readonly unknown[])[];
  readonly hasMore: boolean;
}

/** Asks for the newest news of a contract from `from` to `to`. */
export function newsJob(
  contract: KnownContract,
  symbol: string,
  codes: readonly string[],
  from: number,
  to: number,
): HistoryJob<NewsPage> {
  const elements: (readonly unknown[])[] = [];
  const end = stamp(to);
  let hasMore = false;
  return {
    about: `${symbol}: news before ${end}`,
    cost: { ...FREE, identity: `news ${contract.conId} ${from} ${end}` },
    request: (id) => ({
      frame: call('reqHistoricalNews', id, contract.conId, codes.join('+'), stamp(from), end, MAX_NEWS),
    }),
    take([name, , first, provider, article, headline]) {
      if (name === 'historicalNewsEnd') {
        hasMore = first === true;
        return true;
      }
      if (name === 'historicalNews') elements.push(['news', symbol, provider, article, first, headline]);
      return false;
    },
    result: () => ({ elements, hasMore }),
  };
}

/** `2026-01-05 14:31:00.0`, in UTC. */
function stamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}.0`;
}

/** The report of a company. */
export function reportJob(contract: KnownContract, symbol: string, report: string): HistoryJob<unknown> {
  let element: unknown;
  return {
    about: `${symbol}: ${report}`,
    cost: FREE,
    request: (id) => ({
      frame: call('reqFundamentalData', id, contract.request, report),
      cancel: call('cancelFundamentalData', id),
    }),
    take([name, , xml]) {
      element = ['fundamental', symbol, contract.currency, xml];
      return name === 'fundamentalData';
    },
    result: () => element,
  };
}
