import type { OperatorRule } from './operatorBench.js';

/** OP-6: a subscriber may act on the source and the gate during an output. */
export const reentrancyRules = [
  {
    id: 'OP-6.1',
    title: 'items that the source emits during an output follow it in order',
    check(bench) {
      const trial = bench.prepare();
      trial.onOutput = () => {
        if (trial.feed.emitted > 60) return;
        // One item ignores the gate, and one obeys it.
        trial.feed.force(1);
        trial.feed.give(1);
      };
      trial.subscribe(bench.subject.make(), bench.context);
      trial.feed.give(1);
      bench.rest();
      trial.feed.complete();
      bench.rest();
      trial.delivered(trial.feed.emitted);
      trial.completedOnce();
    },
  },
  {
    id: 'OP-6.2',
    title: 'a source that completes during an output completes the stream after its items',
    check(bench) {
      const trial = bench.prepare();
      trial.onOutput = () => {
        trial.onOutput = undefined;
        trial.feed.force(1);
        trial.feed.complete();
      };
      trial.subscribe(bench.subject.make(), bench.context);
      trial.feed.give(4);
      bench.rest();
      trial.delivered(trial.feed.emitted);
      trial.completedOnce();
      bench.released(trial);
    },
  },
  {
    id: 'OP-6.3',
    title: 'downstream may close and reopen during an output',
    check(bench) {
      const trial = bench.prepare();
      trial.onOutput = () => {
        trial.gate.close();
        trial.gate.open();
      };
      trial.subscribe(bench.subject.make(), bench.context);
      trial.gate.close();
      trial.feed.give(40);
      trial.gate.open();
      bench.rest();
      trial.feed.complete();
      bench.rest();
      trial.delivered(40);
      trial.completedOnce();
    },
  },
] as const satisfies readonly OperatorRule[];
