import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Observable } from 'rxjs';
import type { MarketEvent, PipelineMonitor } from 'sluice';
import type { DeadLetterQueue } from 'sluice/dead-letters';
import { resumePoints, type Store, storeLedger } from 'sluice/postgres';
import {
  backfill,
  captureFrames,
  type FrameCapture,
  findProvider,
  isUnreachable,
  type Provider,
  ProviderChoiceError,
  type ProviderStreamConfig,
  providerRouter,
  replayFrames,
  type SubscriptionRequest,
} from 'sluice/providers';
import { loadVariables } from 'sluice/settings';
import { GapCounts } from './gapCounts.js';
import { isModule, type LiveOptions } from './options.js';

/** Kinds that are asked for where the command line names none: those with prices. */
const COMMON = ['bar', 'trade', 'quote'] as const;

/** The stream of one provider or several, and what it is captured with. */
export interface LiveSource {
  readonly records$: Observable<MarketEvent>;
  readonly kinds: readonly string[];
  /** The vendors of its gap records. */
  readonly vendors: readonly string[];
  /** What has become of gaps in this run. */
  readonly gaps: GapCounts;
  readonly capture: FrameCapture | undefined;
}

/** The stream that the command line asks for, live or replayed. A `ProviderChoiceError` says what is wrong with it. */
export async function liveSource(
  options: LiveOptions,
  monitor: PipelineMonitor,
  deadLetters: DeadLetterQueue<unknown>,
  store: Store,
): Promise<LiveSource> {
  const { symbols, timeframe } = options;
  const names = namesOf(options);
  const replay = options.replay === undefined ? undefined : replayFrames(options.replay, { speed: options.speed });
  const onError = (error: Error) => console.error(`${error.message}; it is tried again`);
  const capture = options.capture === undefined ? undefined : captureFrames(options.capture, { onError });
  const config: ProviderStreamConfig = {
    deadLetters,
    onRefused: ({ series, error }) => console.error(`${series.of} ${series.symbol}: ${error.message}`),
    onRetry({ error, delayMs }) {
      if (monitor.feeds.some(({ messages }) => messages > 0)) return;
      // The vendor has never said a word, and there is no other: it will not at the next attempt either.
      if (names.length === 1 && isUnreachable(error)) throw error;
      console.error(`${messageOf(error)}; it is tried again in ${Math.ceil(delayMs / 1_000)} s`);
    },
    // Several are watched by their router.
    ...(options.staleAfter !== undefined && names.length === 1 && { staleAfterMs: options.staleAfter }),
    ...(capture && { wrapConnect: capture.wrapConnect }),
    ...replay?.config,
  };
  const providers: Provider[] = [];
  for (const [index, name] of names.entries()) {
    const notice = isModule(name) ? undefined : findProvider(name).notice;
    if (notice !== undefined) console.error(notice);
    providers.push(await make(options, index, config));
  }
  const [provider] = providers as [Provider];
  if (replay && replay.provider !== provider.name) {
    throw new ProviderChoiceError(
      `the capture is of the provider ${replay.provider}: pass --provider ${replay.provider}`,
    );
  }
  const offered = [...new Set(providers.flatMap((one) => one.kinds))];
  const common = COMMON.filter((kind) => offered.includes(kind));
  const kinds = (options.kinds as typeof offered | undefined) ?? (common.length > 0 ? common : offered);
  const first = names[0]!;
  const asked = symbols ?? [isModule(first) ? '*' : findProvider(first).entry.exampleSymbol];
  const gaps = new GapCounts();
  const vendors = options.as === undefined ? providers.map((one) => one.name) : [options.as];
  try {
    const request = { kinds, symbols: asked, ...(timeframe !== undefined && { timeframe }) };
    const stream = (more: Pick<SubscriptionRequest, 'resumeFrom'>) =>
      streamOf(providers, { ...request, ...more }, options);
    // Checks the request, before the store is asked.
    stream({});
    // What a replay begins with was not missed.
    const resumeFrom = replay ? undefined : await resumeFromStore(store, vendors, provider, request, options);
    const records$ = gaps.watching(stream(resumeFrom ? { resumeFrom } : {}));
    const isRepaired = options.backfill && !replay && providers.some(({ history }) => history !== undefined);
    const { as } = options;
    const repairing = backfill({
      ...{ providers, ledger: storeLedger(store.pool), ...(as !== undefined && { as }) },
      onClosed: () => gaps.close(),
      onLeftOpen({ gap, reason, nextTryMs }) {
        const again =
          nextTryMs === undefined ? 'not tried again in this run' : `tried again in ${Math.ceil(nextTryMs / 1_000)} s`;
        gaps.tell(`gap of ${gap.vendor} ${gap.of} ${gap.symbol} stays open, ${again}: ${reason}`);
      },
      onFailure: (error) => gaps.tell(messageOf(error)),
    });
    return { records$: isRepaired ? records$.pipe(repairing) : records$, kinds, vendors, gaps, capture };
  } catch (error) {
    throw error instanceof RangeError ? new ProviderChoiceError(error.message, { cause: error }) : error;
  }
}

/** One provider as it is, several through a router. */
function streamOf(
  providers: readonly Provider[],
  request: Omit<SubscriptionRequest, 'symbols'> & { readonly symbols: readonly string[] },
  { strategy = 'failover', as, failBackAfter, staleAfter }: LiveOptions,
): Observable<MarketEvent> {
  if (providers.length === 1) return providers[0]!.stream(request);
  return providerRouter({
    ...{ ...request, providers, strategy, ...(as !== undefined && { as }) },
    ...(failBackAfter !== undefined && { failBackAfterMs: failBackAfter }),
    ...(staleAfter !== undefined && { staleAfterMs: staleAfter }),
    onSwitch({ from, to, reason, symbols }) {
      const what = symbols === undefined ? '' : ` for ${symbols.length} ${symbols.length === 1 ? 'symbol' : 'symbols'}`;
      console.error(`${to} takes over from ${from}${what}: ${reason}`);
    },
  });
}

/** Up to when the series are known in the store, for the kinds of which it has series. */
async function resumeFromStore(
  store: Store,
  vendors: readonly string[],
  { timeframes }: Provider,
  request: SubscriptionRequest,
  { strategy }: LiveOptions,
): Promise<SubscriptionRequest['resumeFrom']> {
  const kinds = request.kinds.filter((kind) => (COMMON as readonly string[]).includes(kind));
  if (kinds.length === 0) return undefined;
  const timeframe = request.timeframe ?? timeframes?.[0];
  const symbols = request.symbols as readonly string[];
  const known = { kinds, symbols, ...(timeframe !== undefined && { timeframe }) };
  const points = await Promise.all(vendors.map((vendor) => resumePoints(store.pool, { vendor, ...known })));
  return (series) => {
    const ends = points.map((point) => point(series)).filter((end) => end !== undefined);
    if (ends.length === 0) return undefined;
    // Where one provider delivered at a time, the series is known as far as any of them did.
    return strategy === 'merge' ? Math.min(...ends) : Math.max(...ends);
  };
}

/** Says what providers of the registry lack, such as a key, before anything is opened. */
export async function checkProvider(options: LiveOptions): Promise<void> {
  for (const [index, name] of namesOf(options).entries()) if (!isModule(name)) await make(options, index, {});
}

function namesOf({ provider }: LiveOptions): readonly string[] {
  return provider.split(',');
}

/** A provider of the registry, or of a module whose default export is a function of the config. */
async function make(options: LiveOptions, index: number, stream: ProviderStreamConfig): Promise<Provider> {
  const names = namesOf(options);
  const name = names[index]!;
  const url = names.length === 1 ? options.url : options.url?.split(',')[index];
  // An empty one among several is the vendor's own.
  const where = url === undefined || url === '' ? {} : { url };
  if (isModule(name)) {
    const { default: own } = await import(pathToFileURL(resolve(name)).href);
    const made = typeof own === 'function' ? await own({ ...stream, ...where }) : undefined;
    if (typeof made?.stream === 'function') return made;
    throw new ProviderChoiceError(`the default export of ${name} must be a function (config) => Provider`);
  }
  const { entry } = findProvider(name);
  const secrets = Object.entries(loadVariables(entry.variables));
  const variables = Object.fromEntries(secrets.map(([variable, secret]) => [variable, secret?.reveal()]));
  return entry.create({ ...where, variables, stream, isReplay: options.replay !== undefined });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A line for each provider: how it was at the end, and what it has done. */
export function feedReport(monitor: PipelineMonitor): string {
  // Of one that never came to a word the error says all.
  const feeds = monitor.feeds.filter(({ messages }) => messages > 0);
  const lines = feeds.map((feed) => {
    const { id, messages, records, reconnects, gaps, unreadable, conflated, replaced, refused, lastError } = feed;
    const count = (n: number, what: string) => `${n.toLocaleString('en-US')} ${what}`;
    const some = (n: number, what: string) => (n === 0 ? [] : [count(n, what)]);
    const parts = [
      count(messages, 'messages'),
      count(records, 'records'),
      ...some(reconnects, 'reconnects'),
      ...some(gaps, 'gaps'),
      ...some(unreadable, 'unreadable elements'),
      ...some(conflated, 'quotes conflated'),
      ...some(replaced, 'forming bars replaced'),
      ...some(refused, 'series refused'),
      ...(lastError === undefined ? [] : [`last error: ${lastError}`]),
    ];
    return `${id}: ${parts.join(', ')}`;
  });
  return lines.join('\n');
}
