import { equal } from 'node:assert/strict';
import type { OperatorRules } from './operatorBench.js';

/** OP-7: a draining pipeline delivers what it holds. OP-8: every item is accounted for. */
export const accountRules = {
  'OP-7.1: when asked to drain, it delivers what it holds and completes'(bench) {
    const trial = bench.connect();
    trial.feed.give(5);
    bench.stop();
    bench.rest();
    trial.completedWith(trial.feed.emitted);
    bench.released(trial);
  },
  'OP-7.2: when asked to drain while downstream is closed, it delivers what it holds once downstream opens'(bench) {
    const trial = bench.holding(2, 4);
    bench.stop();
    bench.rest();
    trial.obeyed();
    trial.gate.open();
    bench.rest();
    trial.completedWith(trial.feed.emitted);
    bench.released(trial);
  },
  'OP-8.1: the account balances while running, waiting and draining, and at the end'(bench) {
    const trial = bench.connect();
    bench.balanced('before the first item');
    trial.feed.give(5);
    bench.balanced('with items in flight');
    bench.rest();
    bench.balanced('at rest');
    trial.gate.close();
    trial.feed.give(20);
    bench.rest();
    bench.balanced('while downstream is closed');
    trial.gate.open();
    bench.balanced('when downstream opens');
    bench.finish(trial);
    bench.balanced('after completion');
    const { received, written, delivered, held } = bench.monitor.account();
    equal(received, 25, 'every item must count as received once');
    equal(written + delivered, 25, 'every item must count as written or delivered once');
    equal(held, 0, 'nothing may be held after completion');
  },
  'OP-8.2: items held at the end of a subscription stay in the account'(bench) {
    const trial = bench.holding(3, 10);
    trial.unsubscribe();
    bench.balanced('after the end of the subscription');
    const { received, held, written, delivered } = bench.monitor.account();
    equal(received, trial.feed.emitted, 'every item must count as received once');
    equal(held + written + delivered, received, 'what was received and not emitted must count as held');
  },
  'OP-8.3: items held stay in the account if a subscription ends during an output'(bench) {
    const trial = bench.connect();
    trial.onOutput = () => trial.unsubscribe();
    trial.gate.close();
    trial.feed.force(12);
    trial.gate.open();
    bench.rest();
    bench.balanced('after an end during an output');
  },
  'OP-8.4: the account balances after a callback has thrown'(bench) {
    for (const { callback, make } of bench.subject.throwing ?? []) {
      const thrower = () => {
        throw new Error(`${callback} throws`);
      };
      const trial = bench.connect(make(thrower));
      trial.feed.give(12);
      bench.rest();
      bench.balanced(`after ${callback} threw`);
      const closed = bench.connect(make(thrower));
      closed.gate.close();
      closed.feed.force(12);
      bench.rest();
      closed.gate.open();
      bench.rest();
      bench.balanced(`after ${callback} threw as downstream opened`);
    }
  },
  'OP-8.5: items that it merges, splits, repeats or leaves out are in the account'(bench) {
    const { item, merging } = bench.subject;
    const alike = [() => item(0), (index: number) => item(index >> 1), (index: number) => item(index % 3)];
    for (const series of merging ? [...alike, merging] : alike) {
      const trial = bench.connect(bench.subject.make(), bench.feed(series));
      const balanced = (when: string) => bench.balanced(`with items that are alike, ${when}`, REMEDY);
      trial.feed.give(7);
      balanced('with items in flight');
      bench.rest();
      balanced('at rest');
      trial.gate.close();
      trial.feed.give(20);
      bench.rest();
      balanced('while downstream is closed');
      trial.gate.open();
      balanced('when downstream opens');
      bench.finish(trial);
      balanced('after completion');
      equal(bench.monitor.account().held, 0, 'nothing may be held after completion');
    }
  },
} satisfies OperatorRules;

const REMEDY =
  ": settle('dropped', item, reason) what it leaves out or merges into another item, hold what it still has, and declare " +
  "role: 'transform' where it makes other items than it took";
