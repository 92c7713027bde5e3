import { NEVER, Subscriber } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { NO_CONTEXT } from './context.js';
import { Exit } from './exit.js';
import { Gate } from './gate.js';

function exitOf(gate: Gate) {
  const destination = new Subscriber<never>({ next() {}, error() {}, complete() {} });
  const opened: string[] = [];
  const exit = new Exit({ destination, downstream: { ...NO_CONTEXT, gate, stopping: NEVER } }, () =>
    opened.push(gate.state),
  );
  return { exit, destination, opened };
}

describe('Exit', () => {
  it('lets pass while the gate is open, and waits for nothing', () => {
    const gate = new Gate();
    const { exit, opened } = exitOf(gate);
    expect(exit.mayEmit()).toBe(true);
    expect(gate.waiting).toBe(0);
    expect(opened).toEqual([]);
  });

  it('waits once for all that is refused, and calls when the gate opens, as often as it was closed', () => {
    const gate = new Gate();
    const { exit, opened } = exitOf(gate);
    for (let round = 1; round <= 3; round++) {
      gate.close();
      for (let i = 0; i < 5; i++) expect(exit.mayEmit()).toBe(false);
      expect(gate.waiting).toBe(1);
      gate.open();
      expect(opened).toHaveLength(round);
    }
  });

  it('does not call for a closed gate at which nothing was refused', () => {
    const gate = new Gate('closed');
    const { opened } = exitOf(gate);
    gate.open();
    expect(opened).toEqual([]);
  });

  it('calls at once when told to wait at an open gate, and waits again the next time', () => {
    const gate = new Gate();
    const { exit, opened } = exitOf(gate);
    exit.wait();
    expect(opened).toEqual(['open']);
    gate.close();
    exit.wait();
    expect(gate.waiting).toBe(1);
    gate.open();
    expect(opened).toEqual(['open', 'open']);
  });

  it('ends its wait with the subscription, and refuses from then on', () => {
    const gate = new Gate('closed');
    const { exit, destination, opened } = exitOf(gate);
    exit.mayEmit();
    destination.unsubscribe();
    expect(gate.waiting).toBe(0);
    gate.open();
    expect(exit.mayEmit()).toBe(false);
    expect(opened).toEqual([]);
  });
});
