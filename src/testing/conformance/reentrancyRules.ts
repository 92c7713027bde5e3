import type { OperatorRules } from './operatorBench.js';

/** OP-6: a subscriber may act on the source and the gate during an output. */
export const reentrancyRules = {
  'OP-6.1: items that the source emits during an output follow it in order'(bench) {
    const trial = bench.connect();
    trial.onOutput = () => {
      if (trial.feed.emitted > 60) return;
      // One item ignores the gate, and one obeys it.
      trial.feed.force(1);
      trial.feed.give(1);
    };
    trial.feed.give(1);
    bench.rest();
    bench.finish(trial);
    trial.completedWith(trial.feed.emitted);
  },
  'OP-6.2: a source that completes during an output completes the stream after its items'(bench) {
    const trial = bench.connect();
    trial.onOutput = () => {
      trial.onOutput = undefined;
      trial.feed.force(1);
      trial.feed.complete();
    };
    trial.feed.give(4);
    bench.rest();
    trial.completedWith(trial.feed.emitted);
    bench.released(trial);
  },
  'OP-6.3: downstream may close and reopen during an output'(bench) {
    const trial = bench.connect();
    trial.onOutput = () => {
      trial.gate.close();
      trial.gate.open();
    };
    trial.gate.close();
    trial.feed.give(40);
    trial.gate.open();
    bench.rest();
    bench.finish(trial);
    trial.completedWith(40);
  },
} satisfies OperatorRules;
