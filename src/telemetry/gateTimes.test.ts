import { describe, expect, it } from 'vitest';
import { ALWAYS_OPEN, Gate } from '../flow/gate.js';
import { type Stage, StageAccount } from '../flow/stage.js';
import { GateTimes } from './gateTimes.js';

const watched = (gate: Gate | undefined, feeds?: Stage) => {
  const clock = { now: 0 };
  const account = new StageAccount('s', { kind: 's', feeds, gate });
  const { stage } = account;
  const times = new GateTimes(() => clock.now);
  return { clock, account, stage, times, seconds: () => times.closedSeconds(stage) };
};

describe('the time that a gate is closed', () => {
  it('runs while it is closed', () => {
    const gate = new Gate();
    const { clock, stage, times, seconds } = watched(gate);
    times.look(stage);
    clock.now = 1_000;
    expect(seconds()).toBe(0);
    gate.close();
    clock.now = 3_000;
    expect(seconds()).toBe(2);
    gate.open();
    clock.now = 10_000;
    expect(seconds()).toBe(2);
    gate.close();
    clock.now = 10_500;
    expect(seconds()).toBe(2.5);
  });

  it('runs from when it was seen for one that was closed before', () => {
    const { clock, stage, times, seconds } = watched(new Gate('closed'));
    clock.now = 4_000;
    times.look(stage);
    clock.now = 5_000;
    expect(seconds()).toBe(1);
  });

  it('is the sum of all gates of a stage that is retried', () => {
    const first = new Gate();
    const { clock, account, stage, times, seconds } = watched(first);
    times.look(stage);
    first.close();
    clock.now = 1_000;
    first.open();
    const second = new Gate();
    account.gate = second;
    times.look(stage);
    second.close();
    clock.now = 1_500;
    // The former gate has nothing to say any more.
    first.close();
    clock.now = 1_700;
    second.open();
    clock.now = 2_000;
    expect(seconds()).toBe(1.7);
    // Nor does it go on for a gate that was closed when it was replaced.
    second.close();
    clock.now = 2_100;
    account.gate = undefined;
    times.look(stage);
    clock.now = 3_000;
    expect(seconds()).toBeCloseTo(1.8, 9);
  });

  it('starts with the gate that a stage is given after it has said that it is there', async () => {
    const { clock, account, stage, times, seconds } = watched(undefined);
    times.announce(stage);
    const gate = new Gate();
    account.gate = gate;
    await Promise.resolve();
    gate.close();
    clock.now = 2_000;
    expect(seconds()).toBe(2);
  });

  it('is not there for stages without a gate of their own', () => {
    const belowGate = new Gate();
    const below = new StageAccount('below', { kind: 'below', gate: belowGate }).stage;
    const between = new StageAccount('between', { kind: 'between', feeds: below }).stage;
    for (const [gate, feeds] of [[undefined], [ALWAYS_OPEN], [belowGate, below], [belowGate, between]] as const) {
      const { stage, times, seconds } = watched(gate, feeds);
      times.look(stage);
      expect(seconds()).toBeUndefined();
    }
    const { stage, times, seconds } = watched(new Gate(), between);
    times.look(stage);
    expect(seconds()).toBe(0);
  });

  it('is not watched any more when the stage is forgotten', () => {
    const gate = new Gate();
    const { stage, times, seconds } = watched(gate);
    times.look(stage);
    times.forget(stage);
    expect(seconds()).toBeUndefined();
  });
});
