import { equal, notEqual } from 'node:assert/strict';
import type { OperatorRules } from './operatorBench.js';

/** OP-2: subscriptions are independent, and the context of downstream is visible upstream. */
export const subscriptionRules = {
  'OP-2.1: it does nothing until it is subscribed to'(bench) {
    const feed = bench.feed();
    feed.source$.pipe(bench.subject.make());
    bench.rest();
    equal(feed.subscriptions, 0, 'piping must not subscribe to the source');
    equal(bench.monitor.stages.length, 0, 'piping must not register a stage');
  },
  'OP-2.2: it subscribes to its source once'(bench) {
    const trial = bench.connect();
    trial.feed.give(5);
    bench.finish(trial);
    equal(trial.feed.subscriptions, 1, 'one subscription to the operator must be one subscription to its source');
  },
  'OP-2.3: two subscriptions to one operator share nothing'(bench) {
    const operator = bench.subject.make();
    const [one, other] = [bench.connect(operator), bench.connect(operator)];
    one.gate.close();
    for (let round = 0; round < 6; round++) {
      one.feed.give(1);
      other.feed.give(2);
      bench.rest();
    }
    bench.finish(other);
    other.completedWith(12);
    equal(one.hasEnded, false, 'the end of one subscription must not end the other');
    one.gate.open();
    bench.finish(one);
    one.completedWith(6);
  },
  'OP-2.4: a later subscription starts afresh'(bench) {
    const operator = bench.subject.make();
    const [completed, failed, left] = [bench.connect(operator), bench.connect(operator), bench.connect(operator)];
    completed.feed.give(3);
    completed.feed.complete();
    failed.feed.give(3);
    failed.feed.fail(new Error('of the source'));
    left.gate.close();
    left.feed.give(3);
    bench.rest();
    left.unsubscribe();
    const later = bench.connect(operator);
    later.feed.give(4);
    bench.finish(later);
    later.completedWith(4);
  },
  'OP-2.5: the source finds the monitor, the stopping signal and a gate'(bench) {
    const trial = bench.connect();
    const context = trial.feed.context;
    equal(context?.monitor, bench.monitor, 'the monitor downstream must be visible upstream');
    let stops = 0;
    const listening = context?.stopping.subscribe(() => {
      stops += 1;
    });
    equal(stops, 0, 'the stopping signal must not fire before the pipeline is asked to drain');
    notEqual(context?.gate, undefined);
    trial.gate.close();
    trial.feed.give(100_000);
    equal(
      trial.feed.isPaused,
      true,
      'the source must find a gate that closes once downstream is closed and the operator is full',
    );
    bench.stop();
    equal(stops, 1, 'the stopping signal of downstream must reach the source once');
    listening?.unsubscribe();
  },
} satisfies OperatorRules;
