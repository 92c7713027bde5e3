import { ok as assert, equal } from 'node:assert/strict';
import { Observable } from 'rxjs';
import { take } from 'rxjs/operators';
import type { OperatorBench, OperatorRules, Trial } from './operatorBench.js';

/** Where an endless source is cut off. */
const FIREHOSE = 100_000;
/** More than any operator may accept before its first output. */
const MAX_ACCEPTED = 20_000;

/** Unsubscribes, and checks that nothing is left, that nothing follows, and that a second time changes nothing. */
function unsubscribe<I, O>(bench: OperatorBench<I, O>, trial: Trial<I, O>): void {
  trial.unsubscribe();
  bench.released(trial);
  const { length } = trial.outputs;
  trial.gate.open();
  trial.unsubscribe();
  bench.rest();
  equal(trial.outputs.length, length, 'nothing may be emitted after the end of the subscription');
  equal(trial.completions + trial.errors.length, 0, 'unsubscribing must not produce a terminal signal');
}

/** OP-3: however a subscription ends, it releases its source, its timers and its waits. */
export const releaseRules = {
  'OP-3.1: unsubscribing before the first item releases everything': (bench) => unsubscribe(bench, bench.connect()),
  'OP-3.2: unsubscribing while it holds items releases everything'(bench) {
    for (let items = 1; items <= 4; items++) {
      const trial = bench.connect();
      trial.feed.give(items);
      unsubscribe(bench, trial);
    }
  },
  'OP-3.3: unsubscribing while downstream is closed releases everything'(bench) {
    unsubscribe(bench, bench.holding(1, 50));

    const ended = bench.connect();
    ended.gate.close();
    ended.feed.force(3);
    bench.finish(ended);
    ended.unsubscribe();
    bench.released(ended);
  },
  'OP-3.4: completion releases everything, and unsubscribing afterwards changes nothing'(bench) {
    const trial = bench.connect();
    trial.feed.give(7);
    trial.feed.complete();
    bench.restUntilEnd(trial);
    trial.completedOnce();
    bench.released(trial);
    trial.unsubscribe();
    bench.released(trial);
    trial.completedOnce();
  },
  'OP-3.5: unsubscribing during an output stops it after that output'(bench) {
    const trial = bench.connect();
    trial.onOutput = () => trial.unsubscribe();
    trial.feed.give(40);
    bench.rest();
    equal(trial.outputs.length, 1, 'only the output that unsubscribes may be emitted');
    bench.released(trial);
  },
  'OP-3.6: take(1) stops a synchronous source that obeys the gate'(bench) {
    const trial = bench.connect((source) => source.pipe(bench.subject.make(), take(1)));
    trial.feed.give(FIREHOSE);
    bench.rest();
    equal(trial.outputs.length, 1, 'take(1) must receive one output');
    assert(trial.feed.emitted <= MAX_ACCEPTED, `it accepted ${trial.feed.emitted} items for one output`);
    trial.completedOnce();
    bench.released(trial);
  },
  'OP-3.7: take(1) immediately stops a synchronous source that ignores the gate'(bench) {
    const { item, make } = bench.subject;
    let pulled = 0;
    let pulledAtEnd = 0;
    const source$ = new Observable<ReturnType<typeof item>>((subscriber) => {
      while (!subscriber.closed && pulled < FIREHOSE) {
        subscriber.next(item(pulled));
        pulled += 1;
      }
    });
    const trial = bench.prepare();
    trial.onOutput = () => {
      pulledAtEnd = pulled;
    };
    trial.subscribe((source) => source.pipe(make(), take(1)), bench.context, source$);
    bench.rest();
    assert(pulled <= MAX_ACCEPTED, `it accepted ${pulled} items of a source that should have been released`);
    if (trial.outputs.length > 0 && pulledAtEnd < pulled) {
      equal(pulled, pulledAtEnd + 1, 'the source must be released with the first output');
    }
    equal(trial.completions + trial.errors.length, 1, 'it must end with the output or an overflow');
    bench.released(trial);
  },
} satisfies OperatorRules;
