import { describe, expect, it } from 'vitest';
import { reasons } from '../../test/support/reasons.js';
import { newsCodec } from './codecs.js';
import type { NewsItem } from './newsItem.js';

const ITEM: NewsItem = {
  kind: 'news',
  vendor: 'acme',
  id: 'a-1',
  publishedAt: 1_704_205_800_000,
  title: 'Acme "beats" – again\n',
  url: 'https://example.com/a?b=1#c',
  symbols: ['ACME', 'BRK.B'],
};

describe('newsCodec', () => {
  it.each([
    ['a sentiment that nobody gives', ITEM],
    ['a sentiment of null', { ...ITEM, sentiment: null }],
    ['a sentiment and a seq', { ...ITEM, sentiment: -1, seq: 0 }],
    ['no symbols', { ...ITEM, symbols: [] }],
    ['an http address, in capitals', { ...ITEM, url: 'HTTP://EXAMPLE.COM' }],
  ])('takes an item with %s as it is', (_what, item) => {
    expect(newsCodec.decode(item)).toEqual({ _tag: 'Right', right: item });
    expect(newsCodec.is(item)).toBe(true);
  });

  it('leaves out what an item does not have', () => {
    const decoded = newsCodec.decode({ ...ITEM, body: 'long', sentiment: undefined });
    expect(decoded._tag === 'Right' && Object.keys(decoded.right)).toEqual(Object.keys(ITEM));
  });

  it.each([
    [{ kind: 'News' }, 'kind: expected "news", got "News"'],
    [{ vendor: '' }, 'vendor: expected a name, got ""'],
    [{ id: '' }, 'id: expected a name, got ""'],
    [{ id: 5 }, 'id: expected a name, got 5'],
    [{ publishedAt: '2024-01-02' }, 'publishedAt: expected a time in Unix epoch milliseconds, got "2024-01-02"'],
    [{ title: ' \n' }, 'title: expected a text that is not blank, got " \\n"'],
    [{ title: undefined }, 'title: expected a text that is not blank, got undefined'],
    [{ url: 'ftp://example.com/a' }, 'url: expected an http or https address, got "ftp://example.com/a"'],
    [{ url: 'javascript:alert(1)' }, 'url: expected an http or https address, got "javascript:alert(1)"'],
    [{ url: 'example.com/a' }, 'url: expected an http or https address, got "example.com/a"'],
    [{ url: 'https://' }, 'url: expected an http or https address, got "https://"'],
    [{ url: 'https://a b.com' }, 'url: expected an http or https address, got "https://a b.com"'],
    [{ url: 'https://a\n.com' }, 'url: expected an http or https address, got "https://a\\n.com"'],
    [{ url: null }, 'url: expected an http or https address, got null'],
    [{ symbols: 'ACME' }, 'symbols: expected an array of symbols, got "ACME"'],
    [{ symbols: undefined }, 'symbols: expected an array of symbols, got undefined'],
    [
      { symbols: ['ACME', ' brk'] },
      'symbols[1]: expected a symbol as the vendor spells it, without control characters or outer blanks, got " brk"',
    ],
    [
      { symbols: [null] },
      'symbols[0]: expected a symbol as the vendor spells it, without control characters or outer blanks, got null',
    ],
    [{ sentiment: 1.01 }, 'sentiment: expected a number from -1 to 1, or null, got 1.01'],
    [{ sentiment: 'good' }, 'sentiment: expected a number from -1 to 1, or null, got "good"'],
    [{ seq: 0.5 }, 'seq: expected a safe integer of at least 0, got 0.5'],
  ])('refuses %j in words', (wrong, reason) => {
    expect(reasons(newsCodec, { ...ITEM, ...wrong })).toEqual([reason]);
    expect(newsCodec.is({ ...ITEM, ...wrong })).toBe(false);
  });

  it('names every field that is wrong', () => {
    expect(reasons(newsCodec, {}).map((reason) => reason.split(':')[0])).toEqual(Object.keys(ITEM));
    expect(reasons(newsCodec, { ...ITEM, symbols: ['a ', 'B', '\n'] })).toHaveLength(2);
  });
});
