import { ok as assert, doesNotThrow, fail } from 'node:assert/strict';
import type { OperatorBench, OperatorRules, Trial } from './operatorBench.js';

/** Runs `scenario` once per callback, which throws. Returns how often each was called. */
function withEachThrowing<I, O>(
  bench: OperatorBench<I, O>,
  scenario: (trial: Trial<I, O>, callback: string) => void,
): Map<string, number> {
  const { throwing = [] } = bench.subject;
  assert(throwing.length > 0, 'list its callbacks in `throwing`, or say in `notApplicable` that it has none');
  const calls = new Map<string, number>();
  for (const { callback, make } of throwing) {
    const failure = new Error(`${callback} throws`);
    let called = 0;
    const trial = bench.prepare();
    const operator = make(() => {
      called += 1;
      throw failure;
    });
    doesNotThrow(() => trial.subscribe(operator, bench.context), `${callback} threw into the subscriber`);
    scenario(trial, callback);
    if (called > 0) {
      trial.failedOnce(failure);
      bench.released(trial);
    }
    calls.set(callback, (calls.get(callback) ?? 0) + called);
  }
  return calls;
}

function closedFirst<I, O>(bench: OperatorBench<I, O>): Map<string, number> {
  return withEachThrowing(bench, (trial, callback) => {
    trial.gate.close();
    doesNotThrow(() => trial.feed.force(3), `${callback} threw into the source`);
    bench.rest();
    doesNotThrow(() => trial.gate.open(), `${callback} threw into the caller that opened the gate`);
    bench.rest();
    trial.gate.close();
    doesNotThrow(() => trial.feed.force(2_000), `${callback} threw into the source`);
    bench.rest();
    trial.gate.open();
    bench.rest();
  });
}

/** OP-4: an error that a callback throws fails the stream and nothing else. */
export const failureRules = {
  'OP-4.1: a callback that throws fails the stream and releases the source'(bench) {
    const calls = withEachThrowing(bench, (trial, callback) => {
      doesNotThrow(() => trial.feed.give(12), `${callback} threw into the source`);
      bench.rest();
      bench.finish(trial);
    });
    for (const [callback, count] of closedFirst(bench)) {
      if (count + (calls.get(callback) ?? 0) === 0) fail(`${callback} was never called: make the operator smaller`);
    }
  },
  'OP-4.2: a callback that throws while downstream opens fails the stream rather than the caller that opened it'(
    bench,
  ) {
    closedFirst(bench);
  },
} satisfies OperatorRules;
