import { isObservable, type Observable, type TeardownLogic } from 'rxjs';
import { FeedAccount } from '../flow/feed.js';
import { gatedSource, type Outlet } from '../flow/gatedSource.js';
import { StopSignal } from '../flow/stopSignal.js';
import type { MarketEvent } from '../market/recordKinds.js';
import { hashKey } from '../primitives/hashKey.js';
import { readOptions } from '../primitives/options.js';
import { Xoshiro128 } from '../primitives/xoshiro128.js';
import type { HistoryRange, Provider, ProviderParts, SubscriptionRequest } from './provider.js';
import { maskingErrors } from './rest/maskingErrors.js';
import { Attempts } from './stream/attempts.js';
import { readRequest, readSymbols } from './stream/request.js';
import { ResumePoints } from './stream/resumePoints.js';
import { SeriesTable } from './stream/seriesTable.js';
import { withoutSecrets } from './stream/streamErrors.js';
import { StreamRun } from './stream/streamRun.js';
import { PROVIDER_STREAM, type ProviderStreamConfig, type StreamSettings } from './streamConfig.js';

/**
 * Makes a provider of its parts: a session, a normaliser, limits and a transport. What all providers share is here: connecting
 * and connecting again, confirmation of subscriptions, gap records, pacing, signs of life, and slow readers.
 *
 * @example
 * ```ts
 * import { defineProvider, type ProviderParts } from 'sluice/providers';
 *
 * declare const parts: ProviderParts;
 * const provider = defineProvider(parts, { staleAfterMs: 60_000 });
 * provider.stream({ kinds: ['trade'], symbols: ['AAPL'] }).subscribe((record) => console.log(record));
 * ```
 */
export function defineProvider(parts: ProviderParts, config: ProviderStreamConfig = {}): Provider {
  const settings: StreamSettings = readOptions(parts.name, config, PROVIDER_STREAM);
  const { name, kinds, timeframes, pacing, history, secrets = [] } = parts;
  if (pacing.messages?.maxOpen !== undefined) {
    throw new RangeError(`${name}: pacing.messages must have no maxOpen: a message is never over`);
  }
  // Checks the options of the backoff.
  new Attempts(settings, () => 0, name);
  const connect = settings.wrapConnect?.(parts.connect, { name, secrets }) ?? parts.connect;

  const stream = (request: SubscriptionRequest): Observable<MarketEvent> => {
    const { kinds: wanted, symbols, timeframe, resumeFrom } = readRequest(parts, request);
    const source = { name: settings.name ?? name, scheduler: settings.scheduler, stops: false };
    return gatedSource<MarketEvent>(source, (outlet) => {
      const feed = outlet.context.monitor.registerFeed?.(name) ?? new FeedAccount(name, name);
      const { scheduler } = settings;
      const points = resumeFrom && new ResumePoints(`${name}: stream`, resumeFrom, () => scheduler.now());
      const run = new StreamRun(outlet, {
        parts: parts.sessions ? { ...parts, session: parts.sessions() } : parts,
        connect,
        settings,
        feed,
        table: new SeriesTable(wanted, timeframe, points),
        random: settings.random ?? seeded(settings.scheduler.now(), feed.id),
      });
      return begin(run, outlet, symbols, `${name}: stream`);
    });
  };
  return {
    ...{ name, kinds, pacing, stream },
    ...(timeframes && { timeframes }),
    ...(history && { history: (range) => masked(history, range, secrets) }),
  };
}

type History = NonNullable<ProviderParts['history']>;

/** The past, whose errors have no secret. */
function masked(history: History, range: HistoryRange, secrets: readonly string[]): ReturnType<History> {
  try {
    return maskingErrors(history(range), secrets);
  } catch (error) {
    throw withoutSecrets(error, secrets);
  }
}

function begin(
  run: StreamRun,
  outlet: Outlet<MarketEvent>,
  symbols: SubscriptionRequest['symbols'],
  owner: string,
): TeardownLogic {
  const { scheduler } = run.settings;
  const stop = StopSignal.of(outlet.context.stopping);
  const deafen = stop.listen(() => run.finish());
  const release = () => {
    deafen();
    run.release();
  };
  if (stop.hasFired) {
    // Not at once: a `repeat()` would subscribe again inside it, and so on until the stack overflows.
    const completing = scheduler.schedule(() => run.finish());
    return () => {
      completing.unsubscribe();
      release();
    };
  }
  run.start();
  if (!isObservable(symbols)) {
    run.want(symbols);
    return release;
  }
  const sets = symbols.subscribe({
    next(set) {
      try {
        run.want(readSymbols(owner, set));
      } catch (error) {
        run.fail(error);
      }
    },
    error: (error) => run.fail(error),
    // The last set stays; without one there is nothing to wait for.
    complete: () => void (run.isIdle && run.finish()),
  });
  return () => {
    sets.unsubscribe();
    release();
  };
}

/** Two streams that lose their connection in one moment must not come back in the same one. */
function seeded(now: number, id: string): () => number {
  const generator = Xoshiro128.fromSeed(Math.floor(now) + hashKey(id));
  return () => generator.unit();
}
