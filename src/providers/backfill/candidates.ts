import type { Gap } from '../../market/gap.js';
import { isRecordKind } from '../../market/recordKinds.js';
import type { Provider } from '../provider.js';
import { Ranker } from '../router/rankedRecord.js';
import type { RoutedProvider } from '../router/routedProvider.js';
import type { AskedSeries } from './answer.js';
import { type Fault, fault } from './outcome.js';

/** A provider whose history can repair a gap. */
export interface Candidate {
  readonly history: NonNullable<Provider['history']>;
  readonly series: AskedSeries;
}

/** Whether a gap is one of these providers. Those of others are none of our business: another process may repair them. */
export function isOwn(gap: Gap, providers: readonly RoutedProvider[], as: string | undefined): boolean {
  return gap.vendor === as || providers.some(({ provider }) => provider.name === gap.vendor);
}

/** Who can be asked for a gap, those that are preferred first; or why nobody can. */
export function candidatesOf(
  gap: Gap,
  providers: readonly RoutedProvider[],
  as: string | undefined,
  canAskAll: ((gap: Gap) => boolean) | undefined,
  now: () => number,
): readonly Candidate[] | Fault {
  const { of, symbol, vendor, timeframe } = gap;
  const nobody = (reason: string) => fault('provider', reason, { isFinal: true });
  if (!isRecordKind(of) || of === 'gap') return nobody(`records of kind ${of} have no history`);
  if (symbol === '*' && !canAskAll?.(gap)) {
    return nobody(
      'history is asked by symbol, and this gap is of all symbols: run sluice backfill for the symbols that matter, then abandon it',
    );
  }
  const isMerged = vendor === as;
  const found: Candidate[] = [];
  const refusals: string[] = [];
  for (const [rank, { provider, spell }] of providers.entries()) {
    if (!isMerged && provider.name !== vendor) continue;
    // The gap of one provider has its symbol as that one spells it.
    const spelled = isMerged && spell && symbol !== '*' ? spell(symbol) : symbol;
    if (spelled === undefined) {
      refusals.push(`${provider.name} does not have ${symbol}`);
    } else if (!provider.history) {
      refusals.push(`${provider.name} has no history`);
    } else {
      found.push({
        history: (range) => provider.history!(range),
        series: {
          ...{ of, timeframe, provider: provider.name, spelled, symbol },
          ...(isMerged && { ranker: new Ranker(rank, vendor, now) }),
        },
      });
    }
    if (!isMerged) break;
  }
  if (found.length > 0) return found;
  return nobody(refusals.length > 0 ? refusals.join('; ') : `no provider is called ${vendor}`);
}
