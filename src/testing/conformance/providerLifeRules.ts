import { ok as assert, deepStrictEqual, equal } from 'node:assert/strict';
import { BehaviorSubject } from 'rxjs';
import { marketEventCodec } from '../../market/codecs.js';
import type { ProviderRules } from './providerBench.js';
import { turns } from './sinkBench.js';

/** PR-1: from the subscription to the records. PR-2: the end of a stream. */
export const lifeRules = {
  async 'PR-1.1: it connects when it is subscribed to, not before'(bench) {
    bench.provider.stream({ kinds: [bench.kind], symbols: [bench.symbol(0)] });
    await bench.pass(10_000);
    equal(bench.venue.accepted.length, 0, 'making a stream must not connect');
    equal(bench.clock.timers, 0, 'making a stream must not set a timer');
    await bench.live();
    equal(bench.venue.accepted.length, 1, 'one stream is one connection');
  },
  async 'PR-1.2: it connects, logs in, subscribes, and delivers all kinds of all symbols'(bench) {
    const trial = await bench.live({ kinds: bench.kinds, symbols: bench.subject.symbols });
    for (const kind of bench.kinds) {
      await bench.publish(trial, ...bench.subject.symbols.map((symbol) => bench.record(kind, symbol, 0)));
    }
    equal(trial.feed.state, 'live', 'a stream that delivers must say that it is live');
    equal(trial.feed.asked, bench.kinds.length * bench.subject.symbols.length);
  },
  async 'PR-1.3: a subscription counts once the vendor has confirmed it'(bench) {
    const [one, two, ignored] = [bench.symbol(0), bench.symbol(2), bench.symbol(1)];
    bench.venue.ignoreSymbol(ignored);
    const symbols = new BehaviorSubject<readonly string[]>([one, two]);
    const trial = await bench.live({ symbols });
    symbols.next([one, two, ignored]);
    await bench.until(() => trial.feed.asked === 3, 'it asks for the third symbol');
    await bench.pass(1_000);
    const { confirmed, refused } = trial.feed;
    deepStrictEqual({ confirmed, refused }, { confirmed: 2, refused: 0 }, 'nobody has confirmed the third symbol');
  },
  async 'PR-1.4: symbols stay as the vendor spells them, and kinds that were not asked for do not come'(bench) {
    const { symbols } = bench.subject;
    const trial = await bench.live({ symbols });
    const [other] = bench.kinds.filter((kind) => kind !== bench.kind);
    if (other) bench.venue.publish([bench.record(other, bench.symbol(0), 0)]);
    for (const index of [0, 1])
      await bench.publish(trial, ...symbols.map((symbol) => bench.record(bench.kind, symbol, index)));
    for (const record of trial.events) {
      assert('symbol' in record && symbols.includes(record.symbol), `it delivered ${JSON.stringify(record)}`);
      equal(record.kind, bench.kind);
    }
  },
  async 'PR-1.5: its records are valid, and name it as their vendor'(bench) {
    const trial = await bench.live({ kinds: bench.kinds });
    for (const index of [0, 1]) {
      await bench.publish(trial, ...bench.kinds.map((kind) => bench.record(kind, bench.symbol(0), index)));
    }
    bench.venue.reset();
    await bench.until(() => bench.venue.accepted.length > 1, 'it connects again', 5_000);
    await bench.isLive(trial);
    await bench.publish(trial, ...bench.kinds.map((kind) => bench.record(kind, bench.symbol(0), 2, { moment: 6 })));
    for (const event of trial.events) {
      assert(marketEventCodec.is(event), `the codec rejects ${JSON.stringify(event)}`);
      equal(
        (event as { readonly vendor?: unknown }).vendor,
        bench.provider.name,
        'the vendor of a record is the name of the provider',
      );
    }
  },
  async 'PR-1.6: two subscriptions are independent'(bench) {
    const [one, other] = [bench.symbol(0), bench.symbol(1)];
    const provider = bench.make();
    const first = await bench.live({ symbols: [one] }, provider);
    const second = await bench.live({ symbols: [other] }, provider);
    await bench.publish(first, bench.record(bench.kind, one, 0));
    await bench.publish(second, bench.record(bench.kind, other, 0));
    first.gate.close();
    await bench.publish(second, bench.record(bench.kind, other, 1));
    first.unsubscribe();
    await bench.publish(second, bench.record(bench.kind, other, 2));
    deepStrictEqual([first.records.length, second.records.length], [1, 3], 'each gets what it asked for');
    deepStrictEqual([...second.errors, second.completions], [0], 'the end of one must not end the other');
    second.unsubscribe();
    const later = await bench.live({ symbols: [one] }, provider);
    await bench.publish(later, bench.record(bench.kind, one, 1, { moment: 5 }));
    deepStrictEqual(later.gaps, [], 'a later subscription starts afresh');
  },
  async 'PR-2.1: when asked to drain it delivers what it has, closes its connection and completes'(bench) {
    for (const isClosed of [false, true]) {
      const trial = await bench.live();
      const records = [0, 1, 2].map((index) => bench.record(bench.kind, bench.symbol(0), index));
      if (isClosed) trial.gate.close();
      bench.venue.publish(records);
      await bench.until(() => trial.feed.records === 3, 'it has received what was sent', undefined, trial);
      trial.stop();
      if (isClosed) {
        await turns(20);
        equal(trial.completions, 0, 'it must not complete while it holds records');
        trial.gate.open();
      }
      await bench.until(() => trial.completions === 1, 'it completes');
      assert(trial.has(...records), 'what it had received must be delivered first');
      equal(trial.whileClosed, 0);
      await bench.released();
    }
  },
  async 'PR-2.2: it drains while it connects, and while it waits to connect again'(bench) {
    const connecting = bench.subscribe();
    connecting.stop();
    await bench.until(() => connecting.completions === 1, 'it completes before it is connected');
    await bench.released();
    const waiting = await bench.live();
    bench.venue.reset();
    await bench.until(() => waiting.feed.state === 'down', 'it has noticed the end of its connection');
    waiting.stop();
    await bench.until(() => waiting.completions === 1, 'it completes while it waits');
    await bench.released();
  },
  async 'PR-2.3: unsubscribing releases socket and timers, whatever it does at that moment'(bench) {
    const once = async () => {
      for (const trial of bench.trials) trial.unsubscribe();
      await bench.released();
    };
    bench.subscribe();
    await once();
    const accepted = bench.venue.accepted.length;
    bench.subscribe();
    await bench.until(() => bench.venue.accepted.length > accepted, 'it connects');
    await once();
    const live = await bench.live();
    await bench.publish(live, bench.record(bench.kind, bench.symbol(0), 0));
    live.gate.close();
    bench.venue.publish([bench.record(bench.kind, bench.symbol(0), 1)]);
    await bench.until(() => live.feed.records === 2, 'it holds a record');
    await once();
    const down = await bench.live();
    bench.venue.reset();
    await bench.until(() => down.feed.state === 'down', 'it has noticed the end of its connection');
    await once();
  },
} satisfies ProviderRules;
