/**
 * One feed of several kinds, each with a chain of its own: bars are written in order per symbol, quotes are conflated to
 * the newest per symbol while their writer is busy, and what nobody knows is counted. The types hold that no kind is
 * forgotten.
 *
 * Run it: npm run example -- route-by-kind
 */
import type { Bar } from 'sluice';
import { batch, conflate, route, writeCoordinator, writeTo } from 'sluice/operators';
import { formatReport, isSettled, run } from 'sluice/pipelines';
import { memorySink } from 'sluice/sinks';
import { fromIterable, syntheticBars } from 'sluice/sources';
import { slowSink } from 'sluice/testing';

interface Quote {
  readonly kind: 'quote';
  readonly symbol: string;
  readonly bid: number;
  readonly ask: number;
}

function* feed(): Iterable<Bar | Quote> {
  for (const bar of syntheticBars({ symbols: 5, count: 2_000, seed: 7 })) {
    yield { kind: 'quote', symbol: bar.symbol, bid: bar.close - 0.01, ask: bar.close + 0.01 };
    yield bar;
  }
}

const bars = memorySink<Bar>();
const quotes = slowSink<Quote>({ serviceTimeMs: 5, name: 'quotes' });

const report = await run(
  fromIterable(feed()).pipe(
    route('kind', {
      bar: (bar$) => bar$.pipe(writeCoordinator(bars, { workers: 2 })),
      quote: (quote$) =>
        quote$.pipe(conflate({ by: (quote) => quote.symbol }), batch({ size: 10, eager: true }), writeTo(quotes)),
    }),
  ),
);
console.log(formatReport(report));
if (!isSettled(report)) process.exitCode = 1;
