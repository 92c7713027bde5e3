import { describe, expect, it } from 'vitest';
import { ALWAYS_OPEN, Gate } from './gate.js';

function states(gate: Gate): string[] {
  const seen: string[] = [];
  gate.state$.subscribe((state) => seen.push(state));
  return seen;
}

describe('Gate', () => {
  it('opens and closes, and says each change once', () => {
    const gate = new Gate();
    const seen = states(gate);
    gate.open();
    gate.close();
    gate.close();
    gate.open();
    gate.open();
    expect(seen).toEqual(['open', 'closed', 'open']);
    expect(gate.isOpen).toBe(true);
    expect(new Gate('closed').state).toBe('closed');
  });

  it('says the current state to who comes later, and nothing to who has left', () => {
    const gate = new Gate();
    gate.close();
    const seen: string[] = [];
    const subscription = gate.state$.subscribe((state) => seen.push(state));
    gate.open();
    subscription.unsubscribe();
    gate.close();
    expect(seen).toEqual(['closed', 'open']);
  });

  it('wakes in the order of arrival, each once', () => {
    const gate = new Gate('closed');
    const woken: string[] = [];
    for (const name of ['a', 'b', 'c']) gate.whenOpen(() => woken.push(name));
    expect(gate.waiting).toBe(3);
    gate.open();
    gate.close();
    gate.open();
    expect(woken).toEqual(['a', 'b', 'c']);
    expect(gate.waiting).toBe(0);
  });

  it('wakes at once while it is open', () => {
    const woken: string[] = [];
    new Gate().whenOpen(() => woken.push('a'));
    expect(woken).toEqual(['a']);
  });

  it('leaves the rest waiting, first in line, when one that it wakes closes it again', () => {
    const gate = new Gate('closed');
    const woken: string[] = [];
    const wait = (name: string) =>
      gate.whenOpen(() => {
        woken.push(name);
        gate.close();
      });
    wait('a');
    wait('b');
    gate.open();
    wait('c');
    expect(woken).toEqual(['a']);
    expect(gate.waiting).toBe(2);
    gate.open();
    gate.open();
    expect(woken).toEqual(['a', 'b', 'c']);
  });

  it('shares fairly: who waits again while it is woken goes behind those who wait already', () => {
    const gate = new Gate('closed');
    const woken: string[] = [];
    const again = (name: string) =>
      gate.whenOpen(() => {
        woken.push(name);
        if (woken.length < 6) again(name);
      });
    again('a');
    again('b');
    gate.open();
    expect(woken).toEqual(['a', 'b', 'a', 'b', 'a', 'b', 'a']);
  });

  it('does not wake who has withdrawn, also when that is withdrawn by one who is woken before', () => {
    const gate = new Gate('closed');
    const woken: string[] = [];
    let cancelB = () => {};
    gate.whenOpen(() => {
      woken.push('a');
      cancelB();
    });
    cancelB = gate.whenOpen(() => woken.push('b'));
    const cancelC = gate.whenOpen(() => woken.push('c'));
    cancelC();
    cancelC();
    expect(gate.waiting).toBe(2);
    gate.open();
    expect(woken).toEqual(['a']);
    expect(gate.waiting).toBe(0);
    cancelB();
    expect(gate.waiting).toBe(0);
  });

  it('tells every listener the changes in the order in which they happened', () => {
    const gate = new Gate();
    // The first listener opens what was closed while the second has not heard of the closing yet.
    gate.state$.subscribe((state) => {
      if (state === 'closed') gate.open();
    });
    const seen = states(gate);
    gate.close();
    expect(seen).toEqual(['open', 'closed', 'open']);
    expect(gate.isOpen).toBe(true);
  });

  it('wakes all though one of them throws, and throws that to who opened', () => {
    const gate = new Gate('closed');
    const woken: string[] = [];
    gate.whenOpen(() => {
      throw new Error('first');
    });
    gate.whenOpen(() => {
      throw new Error('second');
    });
    gate.whenOpen(() => woken.push('c'));
    expect(() => gate.open()).toThrow('first');
    expect(woken).toEqual(['c']);
    gate.close();
    gate.whenOpen(() => woken.push('d'));
    gate.open();
    expect(woken).toEqual(['c', 'd']);
  });

  it('wakes a million in a row without recursion', () => {
    const gate = new Gate('closed');
    let woken = 0;
    const again = () => {
      woken += 1;
      if (woken < 1_000_000) gate.whenOpen(again);
    };
    gate.whenOpen(again);
    gate.open();
    expect(woken).toBe(1_000_000);
  });

  it('cannot be closed where nothing is downstream', () => {
    ALWAYS_OPEN.close();
    expect(ALWAYS_OPEN.isOpen).toBe(true);
    expect(ALWAYS_OPEN.waiting).toBe(0);
  });

  it('tells watchers of each change before anybody is woken, until they stop', () => {
    const gate = new Gate();
    const log: string[] = [];
    const stop = gate.watch((isOpen) => log.push(isOpen ? 'open' : 'closed'));
    gate.close();
    gate.close();
    gate.whenOpen(() => log.push('woken'));
    gate.open();
    expect(log).toEqual(['closed', 'open', 'woken']);
    stop();
    gate.close();
    expect(log).toHaveLength(3);
  });
});
