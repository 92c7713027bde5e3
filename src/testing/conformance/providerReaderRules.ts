import { ok as assert, deepStrictEqual, equal } from 'node:assert/strict';
import type { MarketEvent, RecordKind } from '../../market/recordKinds.js';
import type { ProviderBench, ProviderRules } from './providerBench.js';
import { markOf, type ProviderTrial } from './providerTrial.js';
import { turns } from './sinkBench.js';

/** Messages of ten records of each symbol, sent while nobody takes them. Returns the records. */
async function flood(
  bench: ProviderBench,
  trial: ProviderTrial,
  kind: RecordKind,
  messages: number,
): Promise<MarketEvent[]> {
  const all: MarketEvent[] = [];
  const received = trial.feed.records;
  for (let message = 0; message < messages; message++) {
    const indices = Array.from({ length: 10 }, (_, i) => message * 10 + i);
    const records = indices.flatMap((index) => [0, 1].map((place) => bench.record(kind, bench.symbol(place), index)));
    all.push(...records);
    bench.venue.publish(records);
    await turns(1);
  }
  const isRead = () => trial.feed.records - received >= all.length;
  await bench.until(isRead, `it has read all ${all.length} records that were sent, although downstream is closed`);
  return all;
}

const timeOf = (record: MarketEvent) => ('ts' in record ? record.ts : Number.NaN);

/** PR-5: a reader that is slower than the vendor. */
export const readerRules = {
  async 'PR-5.1: while downstream is closed nothing is emitted, and the vendor is read on'(bench) {
    bench.venue.limitBuffer(200_000);
    const trial = await bench.live();
    trial.gate.close();
    const sent = await flood(bench, trial, bench.kind, 60);
    await bench.pass(2 * bench.settings.deadAfterMs);
    equal(trial.whileClosed, 0, `it emitted ${trial.whileClosed} records while downstream was closed`);
    deepStrictEqual([bench.venue.accepted.length, bench.venue.connections], [1, 1], 'the vendor must not kill it');
    trial.gate.open();
    await bench.until(() => trial.has(...sent), 'everything that waited is delivered');
  },
  async 'PR-5.2: pauses lose nothing and repeat nothing, and keep the order of a series'(bench) {
    const trial = await bench.live();
    const sent: MarketEvent[] = [];
    for (let round = 0; round < 30; round++) {
      if ((round * round) % 7 < 3) trial.gate.close();
      else trial.gate.open();
      const records = [0, 1].map((place) => bench.record(bench.kind, bench.symbol(place), round));
      sent.push(...records);
      bench.venue.publish(records);
      await turns(round % 3);
    }
    trial.gate.open();
    await bench.until(() => trial.has(...sent), 'everything is delivered');
    equal(trial.whileClosed, 0);
    for (const place of [0, 1]) {
      const symbol = bench.symbol(place);
      const expected = sent.filter((record) => 'symbol' in record && record.symbol === symbol).map(markOf);
      deepStrictEqual(trial.of(bench.kind, symbol).map(markOf), expected);
    }
  },
  async 'PR-5.3: of trades each is delivered or in a gap record, even if more wait than there is room for'(bench) {
    bench.needs('trade');
    const trial = await bench.live({ kinds: ['trade'] }, bench.make({ capacity: 100 }));
    trial.gate.close();
    const sent = await flood(bench, trial, 'trade', 60);
    trial.gate.open();
    // What comes next shows that the gap records are out.
    for (const place of [0, 1]) await bench.publish(trial, bench.record('trade', bench.symbol(place), 600));
    for (const place of [0, 1]) {
      const symbol = bench.symbol(place);
      const gaps = trial.gapsOf(symbol);
      const lost = sent.filter((record) => 'symbol' in record && record.symbol === symbol && !trial.has(record));
      const outside = lost.filter(
        (record) => !gaps.some(({ from, to }) => from <= timeOf(record) && timeOf(record) <= to),
      );
      equal(outside.length, 0, `${outside.length} trades of ${symbol} are neither delivered nor in a gap record`);
      assert(
        gaps.every(({ cause }) => cause === 'overflow'),
        'the cause of such a gap is overflow',
      );
      if (lost.length === 0) continue;
      const [from, to] = [Math.min(...lost.map(timeOf)), Math.max(...lost.map(timeOf))];
      equal(Math.min(...gaps.map((gap) => gap.from)), from, 'the gap begins with the first trade that is lost');
      equal(Math.max(...gaps.map((gap) => gap.to)), to, 'the gap ends with the last trade that is lost');
    }
    const lost = sent.length - sent.filter((record) => trial.has(record)).length;
    equal(trial.feed.overflowed, lost, 'what is lost must be counted');
  },
  async 'PR-5.4: of quotes the newest of each symbol waits, and those that it replaces are counted'(bench) {
    bench.needs('quote');
    const trial = await bench.live({ kinds: ['quote'] }, bench.make({ capacity: 100 }));
    trial.gate.close();
    const sent = await flood(bench, trial, 'quote', 60);
    trial.gate.open();
    await bench.until(() => trial.has(...sent.slice(-2)), 'the last quote of each symbol is delivered');
    assert(trial.records.length < sent.length / 2, `${trial.records.length} of ${sent.length} quotes had waited`);
    equal(trial.records.length + trial.feed.conflated, sent.length, 'each quote is delivered or counted as conflated');
    deepStrictEqual(trial.gaps, [], 'what a newer quote replaces is no gap');
  },
} satisfies ProviderRules;
