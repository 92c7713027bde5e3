import { describe, expect, it } from 'vitest';
import { PipelineMonitor } from './monitor.js';

describe('the feeds of a monitor', () => {
  it('are shown as they are at the moment, and cannot be written to', () => {
    const monitor = new PipelineMonitor();
    const account = monitor.registerFeed('massive');
    let waiting = 0;
    account.waits(() => waiting);
    const [before] = monitor.feeds;
    account.messages += 3;
    account.state = 'live';
    waiting = 7;
    expect(before).toMatchObject({ id: 'massive', name: 'massive', state: 'connecting', messages: 0, waiting: 0 });
    expect(monitor.feeds).toMatchObject([{ state: 'live', messages: 3, waiting: 7, lastMessageAt: undefined }]);
    expect(Object.isFrozen(before)).toBe(true);
  });

  it('of one name at a time are numbered', () => {
    const monitor = new PipelineMonitor();
    monitor.registerFeed('massive');
    monitor.registerFeed('binance');
    monitor.registerFeed('massive');
    expect(monitor.feeds.map(({ id }) => id)).toEqual(['massive', 'binance', 'massive#2']);
  });

  it('take up their counts when they are subscribed again', () => {
    const monitor = new PipelineMonitor();
    const account = monitor.registerFeed('massive');
    account.waits(() => 9);
    account.messages = 5;
    account.confirmed = 2;
    account.close();
    expect(monitor.feeds).toMatchObject([{ isLive: false, state: 'down', confirmed: 0, waiting: 0 }]);
    expect(monitor.registerFeed('massive')).toBe(account);
    expect(monitor.feeds).toMatchObject([{ isLive: true, state: 'connecting', messages: 5 }]);
  });

  it('tell whoever observes the monitor of each change of their state, and of each notice', () => {
    const seen: unknown[] = [];
    const monitor = new PipelineMonitor();
    const account = monitor.registerFeed('massive');
    account.state = 'live';
    // Later than the feed: a run is observed before its pipeline is subscribed, but a monitor may be at any time.
    const end = monitor.observe({
      feedChanged: ({ id, state, lastError }, from) => seen.push([id, from, state, lastError]),
      feedNoticed: ({ id }, notice) => seen.push([id, notice]),
    });
    account.state = 'live';
    account.lastError = 'reset by peer';
    account.state = 'down';
    account.lastNotice = 'maintenance at noon';
    account.lastNotice = 'maintenance at noon';
    account.close();
    end();
    account.state = 'connecting';
    expect(seen).toEqual([
      ['massive', 'live', 'down', 'reset by peer'],
      ['massive', 'maintenance at noon'],
      ['massive', 'maintenance at noon'],
    ]);
  });

  it('count gap records by their cause', () => {
    const monitor = new PipelineMonitor();
    const account = monitor.registerFeed('massive');
    for (const cause of ['reconnect', 'overflow', 'reconnect']) account.countGap(cause);
    const [feed] = monitor.feeds;
    account.countGap('stale');
    expect(feed?.gaps).toBe(3);
    expect([...(feed?.gapsBy ?? [])]).toEqual([
      ['reconnect', 2],
      ['overflow', 1],
    ]);
  });
});
