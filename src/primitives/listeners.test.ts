import { afterEach, describe, expect, it, vi } from 'vitest';
import { Listeners } from './listeners.js';

function told(...events: string[]) {
  const listeners = new Listeners<string>();
  const heard: string[] = [];
  return {
    listeners,
    heard,
    tell() {
      for (const event of events) listeners.record(event);
      listeners.notify();
    },
  };
}

describe('Listeners', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('hear in the order in which they came', () => {
    const { listeners, heard, tell } = told('x', 'y');
    for (const name of ['a', 'b', 'c']) listeners.add((event) => heard.push(name + event));
    tell();
    expect(heard).toEqual(['ax', 'bx', 'cx', 'ay', 'by', 'cy']);
  });

  it('hear nothing before all is done', () => {
    const { listeners, heard } = told();
    listeners.add((event) => heard.push(event));
    listeners.record('x');
    expect(heard).toEqual([]);
    listeners.notify();
    listeners.notify();
    expect(heard).toEqual(['x']);
  });

  it('hear of a change that one of them makes after all have heard the one before', () => {
    const { listeners, heard, tell } = told('x');
    listeners.add((event) => {
      heard.push(`a${event}`);
      if (event !== 'x') return;
      listeners.record('y');
      listeners.notify();
    });
    listeners.add((event) => heard.push(`b${event}`));
    tell();
    expect(heard).toEqual(['ax', 'bx', 'ay', 'by']);
  });

  it('hear nothing more once they left, in the middle of a change too', () => {
    const { listeners, heard, tell } = told('x');
    listeners.add(() => leave());
    const leave = listeners.add((event) => heard.push(event));
    listeners.add((event) => heard.push(`after ${event}`));
    tell();
    leave();
    tell();
    expect(heard).toEqual(['after x', 'after x']);
  });

  it('may be one function twice, and leave once', () => {
    const { listeners, heard, tell } = told('x');
    const hear = (event: string) => heard.push(event);
    const leave = listeners.add(hear);
    listeners.add(hear);
    leave();
    leave();
    tell();
    expect(heard).toEqual(['x']);
  });

  it('hear although one before them throws, and its error is an unhandled rejection', () => {
    const { listeners, heard, tell } = told('x', 'y');
    const reject = vi.spyOn(Promise, 'reject').mockReturnValue(Promise.resolve() as never);
    const failure = new Error('deaf');
    listeners.add(() => {
      throw failure;
    });
    listeners.add((event) => heard.push(event));
    tell();
    expect(heard).toEqual(['x', 'y']);
    expect(reject.mock.calls).toEqual([[failure], [failure]]);
    tell();
    expect(heard).toHaveLength(4);
  });
});
