import { describe, expect, it } from 'vitest';
import { calendarDateOf, durationOf, gatewayTimeMs, requestTime, tradingHoursOf } from './times.js';

const utc = (text: string) => Date.parse(text);

describe('gatewayTimeMs', () => {
  it.each([
    ['1767623400', undefined, utc('2026-01-05T14:30:00Z')],
    ['967623400', undefined, 967_623_400_000],
    ['20260105', 'US/Eastern', utc('2026-01-05T00:00:00Z')],
    ['20260105-14:30:00', 'US/Eastern', utc('2026-01-05T14:30:00Z')],
    ['20260105 09:30:00 US/Eastern', undefined, utc('2026-01-05T14:30:00Z')],
    ['20260105  09:30:00', 'America/New_York', utc('2026-01-05T14:30:00Z')],
    ['20260705 09:30:00', 'US/Eastern', utc('2026-07-05T13:30:00Z')],
    ['20260705 09:30:00', 'EST (Eastern Standard Time)', utc('2026-07-05T13:30:00Z')],
    ['20260105 09:30:00 Asia/Tokyo', 'US/Eastern', utc('2026-01-05T00:30:00Z')],
    ['20260105 23:59:59 JST', undefined, utc('2026-01-05T14:59:59Z')],
  ])('reads %j in the zone %j', (text, zone, ms) => {
    expect(gatewayTimeMs(text, zone)).toBe(ms);
  });

  it('follows daylight saving to the hour', () => {
    const at = (text: string) => gatewayTimeMs(text, 'US/Eastern');
    expect(at('20260308 01:59:59')).toBe(utc('2026-03-08T06:59:59Z'));
    expect(at('20260308 03:00:00')).toBe(utc('2026-03-08T07:00:00Z'));
    // It comes twice; the text does not say which: the first.
    expect(at('20261101 01:30:00')).toBe(utc('2026-11-01T05:30:00Z'));
    expect(at('20261101 02:00:00')).toBe(utc('2026-11-01T07:00:00Z'));
  });

  it.each([
    '',
    '12345678901',
    '12345',
    '20260230',
    '20260105 24:00:00 US/Eastern',
    '20260105 09:60:00 US/Eastern',
    '20260105 09:30:00 Mars/Olympus',
    '20260105-14:30:00 US/Eastern',
    '20260105T09:30:00',
    '2026-01-05 09:30:00',
    'finished-20260105-20260106',
    1_767_623_400,
    null,
    undefined,
  ])('refuses %j', (text) => {
    expect(gatewayTimeMs(text, 'US/Eastern')).toBeNaN();
  });

  it('refuses a local time where no zone is known', () => {
    expect(gatewayTimeMs('20260105 09:30:00')).toBeNaN();
    expect(gatewayTimeMs('20260105 09:30:00', 'nowhere')).toBeNaN();
  });
});

it('writes times of requests in UTC, up to the second', () => {
  expect(requestTime(utc('2026-01-05T14:30:00Z'))).toBe('20260105-14:30:00');
  expect(requestTime(utc('2026-01-05T14:30:00.001Z'))).toBe('20260105-14:30:01');
  expect(gatewayTimeMs(requestTime(utc('2026-07-05T14:30:00Z')))).toBe(utc('2026-07-05T14:30:00Z'));
});

it('reads trading hours in the zone of the instrument, and leaves out what it cannot read', () => {
  const hours = tradingHoursOf(
    '20260105:0400-20260105:2000;20260106:CLOSED;junk;20260107:1800-20260108:1700',
    'US/Eastern',
  );
  expect(hours.openSince(utc('2026-01-05T08:59:59Z'))).toBeUndefined();
  expect(hours.openSince(utc('2026-01-05T09:00:00Z'))).toBe(utc('2026-01-05T09:00:00Z'));
  expect(hours.openSince(utc('2026-01-06T00:59:59Z'))).toBe(utc('2026-01-05T09:00:00Z'));
  expect(hours.openSince(utc('2026-01-06T01:00:00Z'))).toBeUndefined();
  expect(hours.openSince(utc('2026-01-08T12:00:00Z'))).toBe(utc('2026-01-07T23:00:00Z'));
  expect(
    tradingHoursOf('20260105:0400-20260105:2000', 'nowhere').openSince(utc('2026-01-05T12:00:00Z')),
  ).toBeUndefined();
});

it('reads the last trading day of a contract', () => {
  expect(calendarDateOf('20260116')).toBe('2026-01-16');
  expect(calendarDateOf('20260116 08:30 CST')).toBe('2026-01-16');
  expect(calendarDateOf('202601')).toBeUndefined();
  expect(calendarDateOf('20260230')).toBeUndefined();
});

it.each([
  [1, '1 S'],
  [86_400_000, '86400 S'],
  [86_400_001, '2 D'],
  [365 * 86_400_000, '365 D'],
  [366 * 86_400_000, '2 Y'],
])('asks for %i ms of the past as %j', (ms, duration) => {
  expect(durationOf(ms)).toBe(duration);
});
