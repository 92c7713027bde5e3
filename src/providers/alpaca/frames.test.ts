import { ExtData, encode, encodeTimeSpecToTimestamp } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { encodeFrame, frameDecoder } from './frames.js';

const json = frameDecoder('json');
const msgpack = frameDecoder('msgpack');
const timestamp = (sec: number, nsec: number) => new ExtData(-1, encodeTimeSpecToTimestamp({ sec, nsec }));

describe('frames of alpaca', () => {
  it('reads JSON from text and from bytes', () => {
    const text = '[{"T":"success","msg":"connected"}]';
    expect(json(text)).toEqual([{ T: 'success', msg: 'connected' }]);
    expect(json(new TextEncoder().encode(text))).toEqual([{ T: 'success', msg: 'connected' }]);
    expect(msgpack(text)).toEqual([{ T: 'success', msg: 'connected' }]);
  });

  it('keeps all digits of an identifier in JSON', () => {
    expect(json('[{"T":"t","i":3447222699101865076,"s":1},{"T":"c","oi": 3447222699101865077 ,"ci":12}]')).toEqual([
      { T: 't', i: '3447222699101865076', s: 1 },
      { T: 'c', oi: '3447222699101865077', ci: 12 },
    ]);
  });

  it('does not touch digits within a text', () => {
    const text = '"i":3447222699101865076}';
    expect(json(JSON.stringify([{ T: 'n', text, i: 1 }, { p: 3447222699101865 }]))).toEqual([
      { T: 'n', text, i: 1 },
      { p: 3447222699101865 },
    ]);
  });

  it('reads times of MessagePack in all three lengths as RFC 3339, to the nanosecond', () => {
    const times = [
      timestamp(1_767_623_412, 0),
      timestamp(1_767_623_412, 83_456_789),
      timestamp(-1, 1),
      timestamp(20_000_000_000, 5),
    ];
    expect(times.map(({ data }) => data.length)).toEqual([4, 8, 12, 12]);
    expect(msgpack(encode(times))).toEqual([
      '2026-01-05T14:30:12Z',
      '2026-01-05T14:30:12.083456789Z',
      '1969-12-31T23:59:59.000000001Z',
      '2603-10-11T11:33:20.000000005Z',
    ]);
  });

  it('reads a time beyond the calendar as something that is no time, and its neighbours', () => {
    expect(msgpack(encode([timestamp(2 ** 50, 0), 1]))).toEqual([`${2 ** 50} seconds`, 1]);
  });

  it('keeps integers of 64 bits', () => {
    const frame = encode([{ i: 3_447_222_699_101_865_076n }], { useBigInt64: true });
    expect(msgpack(frame)).toEqual([{ i: 3_447_222_699_101_865_076n }]);
  });

  it.each<[string, string]>([
    ['{"T":"success"}', 'a frame is not an array but an object'],
    ['null', 'a frame is not an array but null'],
    ['7', 'a frame is not an array but a number'],
    ['', 'a frame cannot be read'],
    ['[{"T":', 'a frame cannot be read'],
  ])('says why %j has no elements', (frame, reason) => {
    expect(json(frame)).toContain(reason);
  });

  it('says why bytes have no elements', () => {
    expect(json(Uint8Array.of(0x5b, 0xff, 0x5d))).toContain('a frame cannot be read');
    expect(msgpack(Uint8Array.of(0x91))).toContain('a frame cannot be read');
    expect(msgpack(Uint8Array.of(0xc1))).toContain('a frame cannot be read');
    expect(msgpack(new Uint8Array())).toContain('a frame cannot be read');
    expect(msgpack(encode({ T: 'success' }))).toBe('a frame is not an array but an object');
  });

  it('does not allocate what a header only announces', () => {
    expect(msgpack(Uint8Array.of(0xdd, 0x01, 0xff, 0xff, 0xff))).toContain('a frame cannot be read');
  });

  it('writes both encodings', () => {
    const message = { action: 'subscribe', trades: ['AAPL'] };
    expect(encodeFrame(message, 'json')).toBe('{"action":"subscribe","trades":["AAPL"]}');
    expect(encodeFrame(message, 'msgpack')).toEqual(encode(message));
  });
});
