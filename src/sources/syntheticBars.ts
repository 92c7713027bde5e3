import type { Bar } from '../market/bar.js';
import { barMaker } from '../market/synthetic/barMaker.js';
import { SYNTHETIC_BARS_OPTIONS, type SyntheticBarsConfig, syntheticSettings } from '../market/synthetic/settings.js';
import { SyntheticWalk } from '../market/synthetic/walk.js';
import { readOptions } from '../primitives/options.js';

export type { SyntheticBarsConfig } from '../market/synthetic/settings.js';

/**
 * The bars that {@link synthetic} emits, as an iterable: a random walk per symbol, span by span and, within a span, symbol by
 * symbol. The bars depend on the configuration alone; each iteration starts afresh.
 *
 * Late bars interleave with newer ones of other spans and symbols. A duplicate may come after the revision of its bar, as an
 * older version that must not win. `seq` counts versions from 1.
 *
 * @example
 * ```ts
 * import { syntheticBars } from 'sluice/sources';
 *
 * const bars = [...syntheticBars({ symbols: ['AAPL', 'MSFT'], count: 1_000, seed: 7, revisions: 0.05 })];
 * console.log(bars.length);
 * ```
 */
export function syntheticBars(config: SyntheticBarsConfig = {}): Iterable<Bar> {
  const owner = 'syntheticBars';
  const settings = syntheticSettings(owner, readOptions(owner, config, SYNTHETIC_BARS_OPTIONS));
  return {
    *[Symbol.iterator]() {
      const walk = new SyntheticWalk(barMaker, settings);
      for (let bar = walk.next(); bar !== undefined; bar = walk.next()) yield bar;
    },
  };
}
