import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Observable } from 'rxjs';
import type { MarketEvent, PipelineMonitor } from 'sluice';
import type { DeadLetterQueue } from 'sluice/dead-letters';
import { resumePoints, type Store } from 'sluice/postgres';
import {
  captureFrames,
  type FrameCapture,
  findProvider,
  isUnreachable,
  type Provider,
  ProviderChoiceError,
  type ProviderStreamConfig,
  replayFrames,
  type SubscriptionRequest,
} from 'sluice/providers';
import { loadVariables } from 'sluice/settings';
import type { LiveOptions } from './options.js';

/** Kinds that are asked for where the command line names none: those with prices. */
const COMMON = ['bar', 'trade', 'quote'] as const;

/** A stream of a provider, and what it is captured with. */
export interface LiveSource {
  readonly records$: Observable<MarketEvent>;
  readonly kinds: readonly string[];
  readonly capture: FrameCapture | undefined;
}

/** The stream that the command line asks for, live or replayed. A `ProviderChoiceError` says what is wrong with it. */
export async function liveSource(
  options: LiveOptions,
  monitor: PipelineMonitor,
  deadLetters: DeadLetterQueue<unknown>,
  store: Store,
): Promise<LiveSource> {
  const { provider: name, symbols, timeframe } = options;
  const replay = options.replay === undefined ? undefined : replayFrames(options.replay, { speed: options.speed });
  const onError = (error: Error) => console.error(`${error.message}; it is tried again`);
  const capture = options.capture === undefined ? undefined : captureFrames(options.capture, { onError });
  const config: ProviderStreamConfig = {
    deadLetters,
    onRefused: ({ series, error }) => console.error(`${series.of} ${series.symbol}: ${error.message}`),
    onRetry({ error, delayMs }) {
      if (monitor.feeds.some(({ messages }) => messages > 0)) return;
      // The vendor has never said a word: it will not at the next attempt either.
      if (isUnreachable(error)) throw error;
      console.error(`${messageOf(error)}; it is tried again in ${Math.ceil(delayMs / 1_000)} s`);
    },
    ...(options.staleAfter !== undefined && { staleAfterMs: options.staleAfter }),
    ...(capture && { wrapConnect: capture.wrapConnect }),
    ...replay?.config,
  };
  const notice = isModule(name) ? undefined : findProvider(name).notice;
  if (notice !== undefined) console.error(notice);
  const provider = await make(options, config);
  if (replay && replay.provider !== provider.name) {
    throw new ProviderChoiceError(
      `the capture is of the provider ${replay.provider}: pass --provider ${replay.provider}`,
    );
  }
  const common = COMMON.filter((kind) => provider.kinds.includes(kind));
  const kinds = (options.kinds as typeof provider.kinds | undefined) ?? (common.length > 0 ? common : provider.kinds);
  const asked = symbols ?? [isModule(name) ? '*' : findProvider(name).entry.exampleSymbol];
  try {
    const request = { kinds, symbols: asked, ...(timeframe !== undefined && { timeframe }) };
    // Checks the request, before the store is asked.
    provider.stream(request);
    // What a replay begins with was not missed.
    const resumeFrom = replay ? undefined : await resumeFromStore(store, provider, request);
    return { records$: provider.stream({ ...request, ...(resumeFrom && { resumeFrom }) }), kinds, capture };
  } catch (error) {
    throw error instanceof RangeError ? new ProviderChoiceError(error.message, { cause: error }) : error;
  }
}

/** Up to when the series are known in the store, for the kinds of which it has series. */
async function resumeFromStore(store: Store, { name, timeframes }: Provider, request: SubscriptionRequest) {
  const kinds = request.kinds.filter((kind) => (COMMON as readonly string[]).includes(kind));
  if (kinds.length === 0) return undefined;
  const timeframe = request.timeframe ?? timeframes?.[0];
  const symbols = request.symbols as readonly string[];
  return resumePoints(store.pool, { vendor: name, kinds, symbols, ...(timeframe !== undefined && { timeframe }) });
}

/** Says what a provider of the registry lacks, such as a key, before anything is opened. */
export async function checkProvider(options: LiveOptions): Promise<void> {
  if (!isModule(options.provider)) await make(options, {});
}

/** A provider of the registry, or of a module whose default export is a function of the config. */
async function make({ provider: name, url, replay }: LiveOptions, stream: ProviderStreamConfig): Promise<Provider> {
  const where = url === undefined ? {} : { url };
  if (isModule(name)) {
    const { default: own } = await import(pathToFileURL(resolve(name)).href);
    const made = typeof own === 'function' ? await own({ ...stream, ...where }) : undefined;
    if (typeof made?.stream === 'function') return made;
    throw new ProviderChoiceError(`the default export of ${name} must be a function (config) => Provider`);
  }
  const { entry } = findProvider(name);
  const secrets = Object.entries(loadVariables(entry.variables));
  const variables = Object.fromEntries(secrets.map(([variable, secret]) => [variable, secret?.reveal()]));
  return entry.create({ ...where, variables, stream, isReplay: replay !== undefined });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isModule(name: string): boolean {
  return /[\\/]|\.[cm]?js$/.test(name);
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
