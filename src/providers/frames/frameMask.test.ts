import { describe, expect, it } from 'vitest';
import { FrameMask } from './frameMask.js';

const SECRET = 's3cret/Key+"1';

describe('the mask of frames', () => {
  const mask = new FrameMask([SECRET, '', 'ab']);
  const bytes = (text: string) => new Uint8Array(Buffer.from(text));
  const text = (frame: string | Uint8Array) => Buffer.from(frame as Uint8Array).toString();

  it.each<[string, string, boolean, string]>([
    ['as it is', `auth ${SECRET}!`, true, 'auth ***!'],
    ['as JSON', JSON.stringify({ hello: SECRET }), false, '{"hello":"***"}'],
    ['in a URL', `{"url":"wss://x/?k=${encodeURIComponent(SECRET)}"}`, false, '{"url":"wss://x/?k=***"}'],
    ['in base64', `{"a":"${Buffer.from(SECRET).toString('base64')}"}`, false, '{"a":"***=="}'],
    ['by the name of a member', '{"action":"auth","api_key":"PKX1234567"}', true, '{"action":"auth","api_key":"***"}'],
    ['by the name, in an answer', '{"session_token":"f9a8b7c6d5"}', false, '{"session_token":"***"}'],
    ['in a text that is not JSON', 'GET /?apiKey=abc HTTP/1.1', true, 'GET /?apiKey=*** HTTP/1.1'],
    ['short ones in what is sent', '{"k":"ab"}', true, '{"k":"***"}'],
    ['but not in data', '{"k":"ab"}', false, '{"k":"ab"}'],
  ])('covers secrets %s', (_, frame, isSent, masked) => {
    expect(mask.mask(frame, isSent)).toBe(masked);
    if (frame.startsWith('{')) expect(text(mask.mask(bytes(frame), isSent))).toBe(masked);
  });

  it('keeps the length of bytes, and the frame of the transport', () => {
    const frame = bytes(`\u0082${SECRET}\u0001${SECRET}`);
    const before = text(frame);
    expect(text(mask.mask(frame, true))).toBe(`\u0082${'*'.repeat(SECRET.length)}\u0001${'*'.repeat(SECRET.length)}`);
    expect(text(frame)).toBe(before);
  });

  it.each([
    '[{"ev":"T","sym":"AAPL","p":1.10,"s":1e2,"i":"00123"}]',
    '{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","p":"0.0010"}}',
    '{"headline":"Tokens and keys: what a password costs"}',
  ])('leaves data letter by letter: %s', (frame) => {
    expect(mask.mask(frame, false)).toBe(frame);
  });
});
