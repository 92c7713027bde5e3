/**
 * An operator of your own that keeps the backpressure promise. `spreadFilter` passes bars whose range is wide enough
 * and counts the others as dropped, with a reason; it holds nothing, so the gate downstream passes through it.
 *
 * Run it: npm run example -- custom-operator
 */
import { type Bar, operate } from 'sluice';
import { writeCoordinator } from 'sluice/operators';
import { formatReport, isSettled, run } from 'sluice/pipelines';
import { memorySink } from 'sluice/sinks';
import { synthetic } from 'sluice/sources';

interface SpreadFilterConfig {
  /** The least range of a bar, as a fraction of its close. */
  readonly minSpread: number;
}

function spreadFilter({ minSpread }: SpreadFilterConfig) {
  if (!(minSpread >= 0)) throw new RangeError(`spreadFilter: minSpread must be at least 0, got ${minSpread}`);
  return operate<Bar, Bar>({ kind: 'spreadFilter' }, ({ emit, settle }) => ({
    next(bar) {
      if ((bar.high - bar.low) / bar.close >= minSpread) emit(bar);
      else settle('dropped', bar, 'narrow');
    },
  }));
}

const sink = memorySink<Bar>();
const report = await run(
  synthetic({ symbols: 20, count: 10_000, seed: 7 }).pipe(spreadFilter({ minSpread: 0.005 }), writeCoordinator(sink)),
);
console.log(formatReport(report));
if (!isSettled(report)) process.exitCode = 1;
