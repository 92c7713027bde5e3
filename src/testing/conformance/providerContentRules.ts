import { ok as assert, deepStrictEqual, equal } from 'node:assert/strict';
import { type MarketEvent, RECORD_KINDS } from '../../market/recordKinds.js';
import type { Frame } from '../../providers/session.js';
import type { ProviderRules } from './providerBench.js';
import { markOf } from './providerTrial.js';

const keyOf = (record: MarketEvent): string => RECORD_KINDS[record.kind].key(record as never);
const seqOf = (record: MarketEvent): number => ('seq' in record ? (record.seq ?? Number.NaN) : Number.NaN);

const timeOf = (record: MarketEvent): number => ('ts' in record ? record.ts : Number.NaN);

/** No vendor sends these. */
const FOREIGN: readonly Frame[] = ['}{ no protocol', new Uint8Array([0xff, 0xfe, 0xc0, 0x00])];

/** PR-4: what vendors do to their records. */
export const contentRules = {
  async 'PR-4.1: a trade or a bar that is sent twice has one key, and its second version is not below the first'(
    bench,
  ) {
    // Quotes have no identifier by which a provider could know a copy.
    const kinds = bench.kinds.filter((kind) => kind !== 'quote');
    assert(kinds.length > 0, 'the subject has neither trades nor bars: exempt this rule');
    const trial = await bench.live({ kinds });
    for (const kind of kinds) {
      const record = bench.record(kind, bench.symbol(0), 0);
      await bench.publish(trial, record);
      bench.venue.publish([record]);
      await bench.publish(trial, bench.record(kind, bench.symbol(0), 1));
      const copies = trial.of(kind, bench.symbol(0)).filter((other) => markOf(other) === markOf(record));
      // One that says when a bar is final says it in a version of its own.
      assert(copies.length <= 3, `a ${kind} that was sent twice was delivered ${copies.length} times`);
      equal(new Set(copies.map(keyOf)).size, 1, `all copies of a ${kind} must have one key`);
      for (const [i, copy] of copies.entries()) {
        assert(i === 0 || !(seqOf(copy) < seqOf(copies[i - 1]!)), `a later copy of a ${kind} has a lower seq`);
      }
    }
  },
  async 'PR-4.2: a late revision of a bar has its key and a higher seq'(bench) {
    bench.needs('bar');
    const trial = await bench.live({ kinds: ['bar'] });
    const versions = [1, 2, 3].map((version) => bench.record('bar', bench.symbol(0), 0, { version }));
    for (const version of versions) {
      await bench.publish(trial, version);
      await bench.pass(1_000);
    }
    const seqs = versions.map((version) => trial.records.find((record) => markOf(record) === markOf(version))!);
    equal(new Set(seqs.map(keyOf)).size, 1, 'all versions of a bar have one key');
    assert(seqOf(seqs[0]!) < seqOf(seqs[1]!), `the seq of a revision is ${seqOf(seqs[1]!)} after ${seqOf(seqs[0]!)}`);
    assert(seqOf(seqs[1]!) < seqOf(seqs[2]!), `the seq of a revision is ${seqOf(seqs[2]!)} after ${seqOf(seqs[1]!)}`);
  },
  async 'PR-4.3: records that come out of order are all delivered'(bench) {
    const trial = await bench.live();
    for (const index of [0, 3, 1, 2, 4]) await bench.publish(trial, bench.record(bench.kind, bench.symbol(0), index));
    const delivered = trial.of(bench.kind, bench.symbol(0));
    equal(delivered.length, 5, `${delivered.length} of 5 records were delivered`);
    equal(new Set(delivered.map(keyOf)).size, 5, 'each must have its own key');
    equal(bench.venue.accepted.length, 1, 'disorder is no reason to connect again');
  },
  async 'PR-4.4: a malformed element is reported as it came and counted, and its neighbours pass'(bench) {
    const trial = await bench.live();
    const records = [0, 1, 2].map((index) => bench.record(bench.kind, bench.symbol(0), index));
    await bench.pass(5_000);
    for (const place of [0, 1, 3]) {
      bench.venue.publishMalformed(records, place);
      const count = place === 0 ? 1 : place === 1 ? 2 : 3;
      const isThrough = () =>
        trial.feed.unreadable === count && records.every((record) => trial.count(record) >= count);
      await bench.until(isThrough, `the neighbours of a malformed element at ${place} pass, and it is counted`);
      equal(bench.heard.rejected.length, count, 'each malformed element must be reported once');
    }
    for (const { element, reason } of bench.heard.rejected) {
      assert(element !== undefined && element !== null, 'the element must be reported as it came');
      assert(reason.length > 0, 'the report must say what is wrong');
    }
    equal(bench.venue.accepted.length, 1, 'one bad element is no reason to connect again');
  },
  async 'PR-4.5: a frame that is not the protocol of the vendor is a reason to connect again'(bench) {
    const trial = await bench.live();
    await bench.publish(trial, bench.record(bench.kind, bench.symbol(0), 0));
    for (const [place, frame] of FOREIGN.entries()) {
      bench.venue.send(frame);
      const isNew = () => bench.venue.accepted.length === place + 2;
      await bench.until(isNew, 'it has left the connection that carried nonsense', 10_000, trial);
      await bench.isLive(trial);
      await bench.publish(trial, bench.record(bench.kind, bench.symbol(0), place + 1, { moment: 40 * (place + 1) }));
      assert(trial.gapsOf(bench.symbol(0)).length > place, 'what may have been missed must be a gap');
    }
    deepStrictEqual(trial.errors, []);
  },
  async 'PR-4.6: records of two connections have keys of their own, though they are of one instant'(bench) {
    // The instant of a bar is its key.
    const kinds = bench.kinds.filter((kind) => kind !== 'bar');
    assert(kinds.length > 0, 'the subject has neither trades nor quotes: exempt this rule');
    const trial = await bench.live({ kinds });
    const each = (index: number) => kinds.map((kind) => bench.record(kind, bench.symbol(0), index, { moment: 0 }));
    await bench.publish(trial, ...each(0));
    const { length } = bench.venue.accepted;
    bench.venue.reset();
    await bench.until(() => bench.venue.accepted.length > length, 'it connects again', 10_000, trial);
    await bench.isLive(trial);
    // What a vendor or a session numbers per connection begins anew.
    await bench.publish(trial, ...each(1));
    for (const kind of kinds) {
      const keys = trial.of(kind, bench.symbol(0)).map(keyOf);
      equal(new Set(keys).size, keys.length, `records of the kind ${kind} have one key: ${keys.join(', ')}`);
    }
  },
  async 'PR-4.7: what the successor of a connection lacks is a gap, unless the connection before it had that'(bench) {
    const { venue } = bench;
    assert(venue.announceEnd && venue.publishTo, 'the fake announces no end of a connection: exempt this rule');
    const trial = await bench.live();
    const [lost, kept] = [bench.symbol(0), bench.symbol(1)];
    const of = (symbol: string, index: number) => bench.record(bench.kind, symbol, index);
    await bench.publish(trial, of(lost, 0), of(kept, 0));
    venue.announceEnd();
    await bench.until(() => venue.connections === 2, 'a successor is opened', 10_000, trial);
    // Its subscriptions are answered, and the connection before it is still read.
    await bench.pass(1_000);
    for (const place of [0, 1]) venue.publishTo(place, [of(lost, 1), of(kept, 1)]);
    await bench.pass(1_000);
    venue.publishTo(1, [of(lost, 4), of(kept, 4)]);
    await bench.pass(1_000);
    venue.publishTo(
      0,
      [2, 3, 4].map((index) => of(kept, index)),
    );
    await bench.until(() => venue.connections === 1, 'the successor has taken over', 60_000, trial);
    const gaps = trial.gaps.map(({ symbol, from, to, cause }) => ({ symbol, from, to, cause }));
    const hole = { symbol: lost, from: timeOf(of(lost, 1)), to: timeOf(of(lost, 4)), cause: 'sequence' };
    deepStrictEqual(gaps, [hole], 'only what neither connection had is missing');
    for (const [symbol, indices] of [
      [lost, [0, 1, 4]],
      [kept, [0, 1, 2, 3, 4]],
    ] as const) {
      const counts = indices.map((index) => trial.count(of(symbol, index)));
      deepStrictEqual(
        counts,
        indices.map(() => 1),
        `each record of ${symbol} must be delivered once`,
      );
    }
    equal(trial.feed.reconnects, 0, 'a hand-over is no reconnect');
  },
} satisfies ProviderRules;
