import { KINDS, type MarketEvent, RECORD_KINDS, type RecordKind, type RecordOf } from '../market/recordKinds.js';
import { SYNTHETIC_BARS_OPTIONS, type SyntheticBarsConfig, syntheticSettings } from '../market/synthetic/settings.js';
import { type MakerOf, SyntheticWalk } from '../market/synthetic/walk.js';
import { listOf, number, type OptionsOf, oneOf, readOptions, reject } from '../primitives/options.js';
import { Xoshiro128 } from '../primitives/xoshiro128.js';

export interface SyntheticEventsConfig<K extends RecordKind = RecordKind> extends SyntheticBarsConfig {
  /** The kinds, each once. Default: all of them. */
  readonly kinds?: readonly K[];
  /** The number of records per kind, without revisions and duplicates. Integer of at least 0; without it they never end. */
  readonly count?: number;
}

const OPTIONS = {
  ...SYNTHETIC_BARS_OPTIONS,
  kinds: listOf(oneOf(KINDS), { min: 1 }).default(KINDS),
} satisfies OptionsOf<SyntheticEventsConfig>;

/** Report dates need four-digit years, and the store keeps microseconds as integers that a double can hold. */
const EPOCH = number({ min: Date.UTC(1900, 0), max: Date.UTC(2200, 0) }).required();

/**
 * Generated records of several kinds, interleaved at random: bars, option chains, headlines, figures from company reports,
 * trades, quotes and gaps, with late revisions and duplicates on request. All of them pass `marketEventCodec`.
 *
 * The records depend on the configuration alone, on every machine; each iteration starts afresh. The records of one kind are
 * the same whichever other kinds come with them, and the bars are those of {@link syntheticBars}. Each kind has its own `seq`,
 * which counts versions from 1. Figures that a vendor does not always know are `null` or left out now and then.
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
export function syntheticEvents<K extends RecordKind = RecordKind>(
  config: SyntheticEventsConfig<K> = {},
): Iterable<RecordOf<K>> {
  const owner = 'syntheticEvents';
  const options = readOptions(owner, config as SyntheticEventsConfig, OPTIONS);
  const { kinds } = options;
  if (new Set(kinds).size < kinds.length) reject(owner, 'kinds', 'an array that names each kind once', kinds.join());
  EPOCH.read(owner, 'epoch', options.epoch);
  const settings = syntheticSettings(owner, options);
  return {
    *[Symbol.iterator]() {
      const random = Xoshiro128.fromSeed(settings.seed);
      const turns = Xoshiro128.fromSeed(random.uint32());
      // Bars have the seed itself, as syntheticBars() does. Each other kind draws one, whether it is wanted or not, so that its
      // records do not depend on which others are.
      const seeds = new Map(KINDS.map((kind, i) => [kind, i === 0 ? settings.seed : random.uint32()]));
      const walks = kinds.map(
        (kind) =>
          new SyntheticWalk<MarketEvent>(RECORD_KINDS[kind].maker as MakerOf<MarketEvent>, settings, seeds.get(kind)),
      );
      while (walks.length > 0) {
        const turn = walks.length === 1 ? 0 : turns.below(walks.length);
        const event = walks[turn]!.next();
        if (event === undefined) walks.splice(turn, 1);
        // Only walks of these kinds were made.
        else yield event as RecordOf<K>;
      }
    },
  };
}
