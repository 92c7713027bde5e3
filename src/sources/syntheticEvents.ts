import type { MarketEvent } from '../market/marketEvent.js';
import { requireKnownOptions, requireNumber, requireOneOf } from '../primitives/validate.js';
import { Xoshiro128 } from '../primitives/xoshiro128.js';
import { barWalk } from './synthetic/barMaker.js';
import { FigureMaker } from './synthetic/figureMaker.js';
import { NewsMaker } from './synthetic/newsMaker.js';
import { OptionMaker } from './synthetic/optionMaker.js';
import {
  requireSyntheticBars,
  SYNTHETIC_BARS_OPTIONS,
  type SyntheticBarsConfig,
  type SyntheticBarsSettings,
} from './synthetic/settings.js';
import { type Maker, SyntheticWalk } from './synthetic/walk.js';

type Kind = MarketEvent['kind'];

export interface SyntheticEventsConfig<K extends Kind = Kind> extends SyntheticBarsConfig {
  /** Which kinds, each once. Default: all four. */
  readonly kinds?: readonly K[];
  /** How many of each kind, revisions and duplicates not counted. Integer of at least 0; without it they never end. */
  readonly count?: number;
}

type MakerOf = new (settings: SyntheticBarsSettings, random: Xoshiro128) => Maker<MarketEvent>;

const MAKERS: Readonly<Record<Exclude<Kind, 'bar'>, MakerOf>> = {
  option: OptionMaker,
  news: NewsMaker,
  fundamental: FigureMaker,
};

const KINDS: readonly Kind[] = ['bar', 'option', 'news', 'fundamental'];

/**
 * Generated records of several kinds, interleaved by chance: bars, chains of options, headlines and the figures of company
 * reports, with late revisions and duplicates on request. All of them pass `marketEventCodec`.
 *
 * What it yields depends on its configuration alone, on every machine; each iteration begins anew. The records of a kind are
 * the same whichever other kinds come with them, and the bars are those of {@link syntheticBars}. Each kind has a `seq` of
 * its own, which grows with each new version by one, from 1. What a vendor does not always know is `null` or left out now
 * and then.
 *
 * @example
 * ```ts
 * import { run, marketDataToStore } from 'sluice/pipelines';
 * import { openStore } from 'sluice/sinks';
 * import { fromIterable, syntheticEvents } from 'sluice/sources';
 *
 * const store = await openStore({ databaseUrl: process.env.DATABASE_URL });
 * const events = syntheticEvents({ symbols: ['AAPL', 'MSFT'], count: 1_000, seed: 7, revisions: 0.05 });
 * await run(fromIterable(events).pipe(marketDataToStore(store.pool)));
 * await store.close();
 * ```
 */
export function syntheticEvents<K extends Kind = Kind>(
  config: SyntheticEventsConfig<K> = {},
): Iterable<Extract<MarketEvent, { readonly kind: K }>> {
  const owner = 'syntheticEvents';
  requireKnownOptions(owner, config, [...SYNTHETIC_BARS_OPTIONS, 'kinds']);
  const { kinds: wanted, ...bars } = config;
  const kinds = requireKinds(owner, wanted ?? KINDS);
  const settings = requireSyntheticBars(owner, bars);
  requireNumber(owner, 'epoch', settings.epoch, FIRST_EPOCH, LAST_EPOCH);
  return {
    *[Symbol.iterator]() {
      const chances = Xoshiro128.fromSeed(settings.seed);
      const turns = Xoshiro128.fromSeed(chances.uint32());
      // Drawn for all, so that a kind has the same chance whichever others there are.
      const seeds = { option: chances.uint32(), news: chances.uint32(), fundamental: chances.uint32() };
      const walks = kinds.map((kind) =>
        kind === 'bar' ? barWalk(settings) : walkOf(MAKERS[kind], settings, seeds[kind]),
      );
      while (walks.length > 0) {
        const turn = walks.length === 1 ? 0 : turns.below(walks.length);
        const event = walks[turn]!.next();
        if (event === undefined) walks.splice(turn, 1);
        // Only walks of these kinds were made.
        else yield event as Extract<MarketEvent, { readonly kind: K }>;
      }
    },
  };
}

/** Reports have dates of four-digit years, and the store microseconds in integers that a double holds. */
const FIRST_EPOCH = Date.UTC(1900, 0);
const LAST_EPOCH = Date.UTC(2200, 0);

function requireKinds(owner: string, kinds: unknown): readonly Kind[] {
  if (!Array.isArray(kinds) || kinds.length === 0 || new Set(kinds).size < kinds.length) {
    throw new RangeError(`${owner}: kinds must be a list of kinds, each once, got ${JSON.stringify(kinds)}`);
  }
  return kinds.map((kind: unknown) => requireOneOf(owner, 'kinds', kind, KINDS));
}

function walkOf(Made: MakerOf, settings: SyntheticBarsSettings, seed: number): SyntheticWalk<MarketEvent> {
  const random = Xoshiro128.fromSeed(seed);
  return new SyntheticWalk(settings, random, new Made(settings, random));
}
