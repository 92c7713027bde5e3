import { deepStrictEqual, equal } from 'node:assert/strict';
import { Observable } from 'rxjs';
import type { OperatorRules } from './operatorBench.js';

/** OP-1: items pass through, and streams end according to the Observable contract. */
export const signalRules = {
  'OP-1.1: a silent source stays silent'(bench) {
    const trial = bench.connect();
    bench.rest();
    deepStrictEqual(trial.outputs, [], 'nothing may be emitted for a silent source');
    equal(trial.hasEnded, false, 'it may not end before its source');
  },
  'OP-1.2: an empty source completes without output'(bench) {
    const trial = bench.connect();
    bench.finish(trial);
    deepStrictEqual(trial.outputs, [], 'nothing may be emitted for an empty source');
    trial.completedOnce();
  },
  'OP-1.3: every item is emitted once, in order, followed by one completion'(bench) {
    const trial = bench.connect();
    trial.feed.give(25);
    bench.finish(trial);
    trial.completedWith(25);
  },
  'OP-1.4: nothing follows the terminal signal, whatever the source does'(bench) {
    const { item, make } = bench.subject;
    const source$ = new Observable<ReturnType<typeof item>>((subscriber) => {
      subscriber.next(item(0));
      subscriber.complete();
      subscriber.next(item(1));
      subscriber.error(new Error('after completion'));
      subscriber.complete();
    });
    const trial = bench.prepare().subscribe(make(), bench.context, source$);
    bench.rest();
    trial.completedWith(1);
  },
  'OP-1.5: an error of the source follows everything that arrived before it'(bench) {
    const failure = new Error('of the source');
    const trial = bench.connect();
    trial.feed.give(5);
    trial.feed.fail(failure);
    bench.restUntilEnd(trial);
    trial.delivered(5);
    trial.failedOnce(failure);
    bench.released(trial);
  },
  'OP-1.6: an error of an empty source is passed on immediately'(bench) {
    const failure = new Error('of the source');
    const trial = bench.connect();
    trial.feed.fail(failure);
    trial.failedOnce(failure);
    bench.released(trial);
  },
} satisfies OperatorRules;
