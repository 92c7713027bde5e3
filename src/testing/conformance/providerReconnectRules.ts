import { ok as assert, deepStrictEqual, equal } from 'node:assert/strict';
import type { MarketEvent } from '../../market/recordKinds.js';
import type { ProviderBench, ProviderRules } from './providerBench.js';
import type { ProviderTrial } from './providerTrial.js';

/** The shortest wait after a quota: an exponential backoff from a second on would be a storm. */
const MIN_COOLDOWN_MS = 30_000;

const timeOf = (record: MarketEvent) => ('ts' in record ? record.ts : Number.NaN);

/** Waits for a second connection that has confirmed all. */
async function replaced(bench: ProviderBench, trial: ProviderTrial, withinMs = 5_000): Promise<void> {
  const { length } = bench.venue.accepted;
  await bench.until(() => bench.venue.accepted.length > length, 'it connects again', withinMs, trial);
  await bench.isLive(trial);
}

/** PR-3: connections are replaced. */
export const reconnectRules = {
  async 'PR-3.1: after a reset it connects again and subscribes to everything'(bench) {
    const trial = await bench.live({ kinds: bench.kinds });
    const before = [...bench.venue.subscriptions].sort();
    bench.venue.reset();
    await replaced(bench, trial);
    deepStrictEqual([...bench.venue.subscriptions].sort(), before, 'it must subscribe to the same again');
    await bench.publish(trial, ...bench.kinds.map((kind) => bench.record(kind, bench.symbol(0), 0)));
    equal(trial.feed.reconnects, 1, 'the reconnect must be counted');
  },
  async 'PR-3.2: each series has a gap record from its last record before a reset until it is subscribed to again'(
    bench,
  ) {
    const trial = await bench.live();
    const symbols = [bench.symbol(0), bench.symbol(1)];
    const each = (index: number, moment: number) =>
      symbols.map((symbol, place) => bench.record(bench.kind, symbol, index, { moment: moment + place }));
    await bench.publish(trial, ...each(0, 0));
    const last = each(1, 2);
    await bench.publish(trial, ...last);
    bench.venue.reset();
    bench.venue.refuse(true);
    const missed = each(2, 5);
    await bench.pass(Math.max(...missed.map(timeOf)) - bench.clock.now() + 1);
    bench.venue.refuse(false);
    await bench.until(() => bench.venue.connections > 0, 'it connects again', 60_000, trial);
    await bench.isLive(trial);
    const first = each(3, 80);
    await bench.publish(trial, ...first);
    await bench.publish(trial, ...each(4, 82));
    for (const [place, symbol] of symbols.entries()) {
      const [gap, ...more] = trial.gapsOf(symbol).filter(({ cause }) => cause === 'reconnect');
      assert(
        gap && more.length === 0,
        `${symbol} has ${gap ? 'several gap records' : 'no gap record'} of the reconnect`,
      );
      const { from, to, of, state } = gap;
      deepStrictEqual({ from, of, state }, { from: timeOf(last[place]!), of: bench.kind, state: 'open' });
      const bounds = `${timeOf(missed[place]!)}, which was missed, and ${timeOf(first[place]!)}, which was not`;
      const isRight = to >= timeOf(missed[place]!) && to <= timeOf(first[place]!);
      assert(isRight, `the gap record of ${symbol} ends at ${to}, rather than between ${bounds}`);
      // A vendor that numbers its records lets a provider see more holes, but none elsewhere.
      const outside = trial
        .gapsOf(symbol)
        .filter((other) => other.from < timeOf(last[place]!) || other.to > timeOf(first[place]!));
      deepStrictEqual(outside, [], 'nothing else was missed');
    }
  },
  async 'PR-3.3: the waits grow where the vendor accepts, logs in, and kicks'(bench) {
    bench.venue.kickAfterLogin(4);
    const trial = bench.subscribe();
    let former = 0;
    for (let kick = 1; kick <= 4; kick++) {
      const isKicked = () => bench.venue.accepted.length === kick && bench.venue.connections === 0;
      await bench.until(isKicked, `the vendor has kicked it ${kick} times`, bench.settleMs);
      const wait = await bench.retriesAfter(trial, kick);
      const least = kick === 1 ? bench.settings.initialMs / 2 : former * 1.5;
      assert(wait >= least, `it waited ${wait} ms after kick ${kick}, and ${former} ms before that`);
      former = wait;
    }
    await bench.isLive(trial);
  },
  async 'PR-3.4: the waits begin anew once a connection has been healthy for long'(bench) {
    bench.venue.kickAfterLogin(3);
    const trial = bench.subscribe();
    await bench.until(() => bench.venue.accepted.length === 4, 'it has come through', 60_000);
    await bench.isLive(trial);
    await bench.publish(trial, bench.record(bench.kind, bench.symbol(0), 0));
    await bench.pass(bench.settings.healthyAfterMs * 0.6);
    await bench.publish(trial, bench.record(bench.kind, bench.symbol(0), 1, { moment: 60 }));
    await bench.pass(bench.settings.healthyAfterMs * 0.6);
    bench.venue.reset();
    const wait = await bench.retriesAfter(trial, 4);
    const { initialMs } = bench.settings;
    assert(wait <= 1.5 * initialMs, `it waited ${wait} ms rather than ${initialMs}`);
  },
  async 'PR-3.5: a vendor that cannot be reached is tried again, less and less often'(bench) {
    bench.venue.refuse(true);
    const trial = bench.subscribe();
    await bench.pass(20_000);
    deepStrictEqual([trial.errors, trial.completions], [[], 0], 'it must go on trying');
    assert(trial.feed.state !== 'live', 'it must not say that it is live');
    bench.venue.refuse(false);
    const wait = await bench.until(() => bench.venue.connections === 1, 'it connects', 60_000);
    assert(wait > 2_000, `it waited ${wait} ms after 20 s of failures`);
    await bench.isLive(trial);
  },
  async 'PR-3.6: a half-open connection is found and replaced'(bench) {
    const trial = await bench.live();
    await bench.publish(trial, bench.record(bench.kind, bench.symbol(0), 0));
    bench.venue.mute(true);
    bench.venue.mute(false);
    const { deadAfterMs, pingEveryMs } = bench.settings;
    const before = bench.clock.now();
    await replaced(bench, trial, deadAfterMs + 2 * pingEveryMs + 2_000);
    assert(bench.clock.now() - before >= pingEveryMs, 'silence between two pings is no sign of death');
    await bench.until(() => bench.venue.connections === 1, 'it has closed the connection that was half-open');
    await bench.publish(trial, bench.record(bench.kind, bench.symbol(0), 1, { moment: 90 }));
    assert(trial.gapsOf(bench.symbol(0)).length > 0, 'the time of silence must be a gap');
  },
  async 'PR-3.7: a connection that answers is kept, though it carries no records'(bench) {
    const trial = await bench.live();
    await bench.pass(10 * bench.settings.deadAfterMs);
    equal(bench.venue.accepted.length, 1, 'a quiet market is no reason to connect again');
    await bench.publish(trial, bench.record(bench.kind, bench.symbol(0), 0, { moment: 400 }));
  },
  async 'PR-3.8: with the quota used up, a newcomer waits for long, and the older connection goes on'(bench) {
    bench.venue.limitConnections(1, 'newer');
    const older = await bench.live({ symbols: [bench.symbol(0)] });
    const newer = bench.subscribe({ symbols: [bench.symbol(1)] });
    for (const accepted of [2, 3]) {
      await bench.until(() => bench.venue.accepted.length === accepted, 'the newcomer connects', 10_000);
      const wait = await bench.retriesAfter(newer, accepted);
      assert(
        wait >= MIN_COOLDOWN_MS,
        `it came again after ${wait} ms, and the vendor had said that the quota is used up`,
      );
    }
    await bench.publish(older, bench.record(bench.kind, bench.symbol(0), 0, { moment: 200 }));
    deepStrictEqual([older.gaps, newer.errors], [[], []]);
    older.unsubscribe();
    await bench.isLive(newer, 600_000);
    await bench.publish(newer, bench.record(bench.kind, bench.symbol(1), 0, { moment: 1_000 }));
  },
  async 'PR-3.9: with the quota used up, one that is evicted waits for long'(bench) {
    bench.venue.limitConnections(1, 'older');
    const older = await bench.live({ symbols: [bench.symbol(0)] });
    const newer = await bench.live({ symbols: [bench.symbol(1)] });
    const wait = await bench.retriesAfter(older, 2);
    assert(wait >= MIN_COOLDOWN_MS, `it came again after ${wait} ms, and threw out the one that had thrown it out`);
    deepStrictEqual([older.errors, newer.errors], [[], []], 'a quota ends no stream');
  },
} satisfies ProviderRules;
