import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable, printableLines } from './printable.js';

const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\uFFFD]/u;

/** Of any code units, also halves of characters. */
const TEXT = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
  .map((units) => String.fromCharCode(...units));

describe('printable', () => {
  it.each([
    ['a plain text of any script', 'Café 東京 Ω 😀', 'Café 東京 Ω 😀'],
    ['what moves a cursor or sets a title', 'a\u001b[31mb\u001b]0;t\u0007', 'a\\u001b[31mb\\u001b]0;t\\u0007'],
    ['C1, which some terminals take for an escape', 'a\u009b31m\u007f', 'a\\u009b31m\\u007f'],
    ['what reverses or hides text', 'a\u202eb\u200bc\ufeff\u00ad', 'a\\u202eb\\u200bc\\ufeff\\u00ad'],
    ['line ends of all kinds', 'a\r\nb\tc\u2028d\u0085', 'a\\r\\nb\\tc\\u2028d\\u0085'],
    ['tags beyond the basic plane', 'a\u{e0041}', 'a\\udb40\\udc41'],
    ['what could not be read', 'a\ufffd\ud800', 'a\\ufffd\\ud800'],
  ])('escapes %s', (_what, text, expected) => {
    expect(printable(text)).toBe(expected);
  });

  it('cuts what is too long, neither within an escape nor within a character', () => {
    expect(printable('abcdef', 6)).toBe('abcdef');
    expect(printable('abcdefg', 6)).toBe('abcde…');
    expect(printable('abc\u001bdef', 6)).toBe('abc…');
    expect(printable('abcd😀', 5)).toBe('abcd…');
    expect(printable('abcd😀efg', 6)).toBe('abcd…');
    expect(printable('x'.repeat(10_000_000), 80)).toHaveLength(80);
  });

  it('is safe and bounded for any text', () => {
    fc.assert(
      fc.property(TEXT, fc.integer({ min: 1, max: 50 }), (text, maxLength) => {
        const safe = printable(text, maxLength);
        expect(safe).not.toMatch(UNSAFE);
        expect(safe.length).toBeLessThanOrEqual(maxLength);
      }),
    );
  });
});

describe('printableLines', () => {
  it('keeps line feeds and tabs, and nothing else that a terminal obeys', () => {
    expect(printableLines('a\n\tb\r\u001bc')).toBe('a\n\tb\\r\\u001bc');
    expect(printableLines('a\n\tb')).toBe('a\n\tb');
  });

  it('changes no value of JSON', () => {
    fc.assert(
      fc.property(TEXT, (text) => {
        const json = printableLines(JSON.stringify({ text }, undefined, 2));
        expect(JSON.parse(json)).toEqual({ text });
        expect(json.replace(/\n/g, '')).not.toMatch(UNSAFE);
      }),
    );
  });
});
