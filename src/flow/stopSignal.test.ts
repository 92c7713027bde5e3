import { config, NEVER, ReplaySubject, Subject } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { StopSignal } from './stopSignal.js';

describe('StopSignal', () => {
  afterEach(() => {
    config.onUnhandledError = null;
    vi.useRealTimers();
  });

  it('is one for each observable, which it subscribes once for all who listen, and only while they do', () => {
    const stopping = new Subject<void>();
    const signal = StopSignal.of(stopping);
    expect(StopSignal.of(stopping)).toBe(signal);
    expect(StopSignal.of(new Subject<void>())).not.toBe(signal);
    const leave = [signal.listen(), signal.listen(() => {})];
    stopping.subscribe();
    expect(stopping.observed).toBe(true);
    for (const withdraw of leave) withdraw();
    leave[0]!();
    stopping.complete();
    expect(signal.hasFired).toBe(false);
  });

  it('unsubscribes with the last that leaves', () => {
    const stopping = new Subject<void>();
    const [first, second] = [StopSignal.of(stopping).listen(), StopSignal.of(stopping).listen()];
    first();
    first();
    expect(stopping.observed).toBe(true);
    second();
    expect(stopping.observed).toBe(false);
  });

  it('has fired before it tells anyone, and tells all in order', () => {
    const stopping = new Subject<void>();
    const signal = StopSignal.of(stopping);
    const log: string[] = [];
    signal.listen(() => log.push(`first ${signal.hasFired}`));
    signal.listen(() => log.push(`second ${signal.hasFired}`));
    stopping.next();
    expect(log).toEqual(['first true', 'second true']);
  });

  it('does not tell who comes after it has fired, and who leaves meanwhile hears of it all the same', () => {
    const stopping = new ReplaySubject<void>(1);
    stopping.next();
    const signal = StopSignal.of(stopping);
    const told = vi.fn();
    signal.listen(told);
    signal.listen(told);
    expect(signal.hasFired).toBe(true);
    expect(told).not.toHaveBeenCalled();
  });

  it('begins anew where nobody has listened in between', () => {
    const stopping = new Subject<void>();
    const signal = StopSignal.of(stopping);
    const leave = signal.listen();
    stopping.next();
    leave();
    const told = vi.fn();
    signal.listen(told);
    expect(signal.hasFired).toBe(false);
    stopping.next();
    expect(told).toHaveBeenCalledTimes(1);
  });

  it('tells the others where one throws, and reports that as RxJS does', () => {
    vi.useFakeTimers();
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error) => unhandled.push(error);
    const stopping = new Subject<void>();
    const failure = new Error('cannot close');
    const told = vi.fn();
    StopSignal.of(stopping).listen(() => {
      throw failure;
    });
    StopSignal.of(stopping).listen(told);
    stopping.next();
    vi.runAllTimers();
    expect(told).toHaveBeenCalledTimes(1);
    expect(unhandled).toEqual([failure]);
  });

  it('keeps nobody on NEVER', () => {
    const signal = StopSignal.of(NEVER);
    const subscribe = vi.spyOn(NEVER, 'subscribe');
    signal.listen()();
    expect(subscribe).not.toHaveBeenCalled();
    subscribe.mockRestore();
  });
});
