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
});
