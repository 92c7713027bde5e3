import { ok as assert, equal } from 'node:assert/strict';
import type { OperatorBench, OperatorRules, Trial } from './operatorBench.js';

/** More than any operator may accept while it emits nothing. */
const MAX_HELD = 20_000;

/** Reopens the gate, however often an output closes it, until the stream ends. */
function openUntilEnd<I, O>(bench: OperatorBench<I, O>, trial: Trial<I, O>): void {
  for (let times = 0; times < 500 && !trial.hasEnded; times++) {
    trial.gate.open();
    bench.rest();
  }
}

/** OP-5: the gate downstream is obeyed and passed on to the source. */
export const backpressureRules = {
  'OP-5.1: nothing is emitted while downstream is closed'(bench) {
    const trial = bench.connect();
    trial.feed.give(3);
    bench.rest();
    trial.gate.close();
    trial.feed.give(30);
    bench.rest();
    trial.obeyed();
  },
  'OP-5.2: what waited while downstream was closed is emitted in order when it opens'(bench) {
    const trial = bench.holding(3, 30);
    trial.gate.open();
    bench.finish(trial);
    trial.completedWith(33);
    bench.released(trial);
  },
  'OP-5.3: completion or an error that arrives while downstream is closed waits for the items before it'(bench) {
    for (const failure of [undefined, new Error('of the source')]) {
      const trial = bench.connect();
      trial.feed.give(2);
      trial.gate.close();
      trial.feed.give(4);
      if (failure) trial.feed.fail(failure);
      else trial.feed.complete();
      bench.rest();
      trial.obeyed();
      trial.gate.open();
      bench.rest();
      trial.delivered(6);
      if (failure) trial.failedOnce(failure);
      else trial.completedOnce();
      bench.released(trial);
    }
  },
  'OP-5.4: the source is paused while downstream is closed, and the number of held items is bounded'(bench) {
    const trial = bench.holding(0, 100_000);
    assert(trial.feed.isPaused, 'the source was never paused');
    assert(trial.feed.emitted <= MAX_HELD, `it accepted ${trial.feed.emitted} items while it emitted nothing`);
    trial.obeyed();
  },
  'OP-5.5: it checks the gate before every output, even if the output itself closes it'(bench) {
    const trial = bench.connect();
    trial.onOutput = () => trial.gate.close();
    trial.feed.give(30);
    trial.feed.complete();
    openUntilEnd(bench, trial);
    trial.obeyed();
    trial.completedWith(30);
  },
  'OP-5.6: downstream may open and close at any time: nothing is lost, and the source resumes each time'(bench) {
    const trial = bench.connect();
    trial.onOutput = () => {
      if (trial.outputs.length % 3 === 0) trial.gate.close();
    };
    trial.feed.give(120);
    trial.feed.complete();
    // A fixed but irregular rhythm, with several moves at the same time and others apart.
    for (let step = 1; step <= 90; step++) {
      if ((step * step) % 7 < 3) trial.gate.close();
      else trial.gate.open();
      if (step % 3 === 0) bench.rest();
      bench.balanced(`at step ${step}`);
    }
    openUntilEnd(bench, trial);
    trial.obeyed();
    trial.completedWith(120);
    bench.released(trial);
  },
  'OP-5.7: a source that ignores the gate loses nothing silently'(bench) {
    const trial = bench.connect();
    trial.gate.close();
    trial.feed.force(MAX_HELD * 2);
    bench.rest();
    trial.gate.open();
    bench.finish(trial);
    if (trial.errors.length === 0) trial.delivered(trial.feed.emitted);
    else assert(trial.items.length <= trial.feed.emitted);
    equal(trial.completions + trial.errors.length, 1, 'it must deliver everything or fail');
    bench.balanced('after an overflow');
    bench.released(trial);
  },
} satisfies OperatorRules;
