import { afterAll, describe, expect, it } from 'vitest';
import { HEADER, replay } from '../../../../test/support/barFiles.js';
import { Folder } from '../../../../test/support/folder.js';
import { readBytes } from '../../../../test/support/readBytes.js';

const folder = new Folder();

afterAll(() => folder.remove());

const bar = (symbol: string) => `acme,${symbol},1m,0,1,2,0.5,1,1`;

describe('text in another encoding is read where it is said', () => {
  // Longer than a chunk, and of characters of one to four bytes, so that some are cut by its end.
  const text = `${HEADER}\n${'a東Ω😀'.repeat(40_000)}`;
  const utf16 = Buffer.from(text, 'utf16le');
  it.each([
    ['utf-16le', utf16],
    ['utf-16le', Buffer.from(`\uFEFF${text}`, 'utf16le')],
    ['UTF-16', utf16],
    ['utf-16be', Buffer.from(utf16).swap16()],
    ['utf8', Buffer.from(text)],
  ])('%s', async (encoding, bytes) => {
    const read = await readBytes(folder.write('a.csv', bytes), { encoding });
    expect(read.failure).toBeUndefined();
    expect(read.text === text).toBe(true);
  });

  it.each([
    ['windows-1252', [0x80, 0x93, 0xe9, 0x81], '€“é\u0081'],
    ['iso-8859-1', [0x80, 0xe9], '€é'],
    ['shift_jis', [0x93, 0x8c, 0x8b, 0x9e], '東京'],
    ['gb18030', [0xb1, 0xb1, 0xbe, 0xa9], '北京'],
  ])('%s', async (encoding, bytes, expected) => {
    expect((await readBytes(folder.write('a.csv', Buffer.from(bytes)), { encoding })).text).toBe(expected);
  });

  it('unless its byte order mark says another one', async () => {
    const path = folder.write('a.csv', Buffer.from(`\uFEFFa,b`, 'utf16le'));
    expect((await readBytes(path, { encoding: 'windows-1252' })).failure).toBe(
      "it is text in UTF-16LE, not in WINDOWS-1252; give encoding: 'utf-16le'",
    );
  });

  it('as bars', async () => {
    const path = folder.write('bars.csv', Buffer.from(`${HEADER}\n${bar('東京')}`, 'utf16le'));
    expect((await replay(path, { encoding: 'utf-16le' })).items.map(({ symbol }) => symbol)).toEqual(['東京']);
    expect((await replay(path)).end).toMatchObject({
      error: { code: 'SLUICE_FILE_UNREADABLE', message: expect.stringContaining("give encoding: 'utf-16le'") },
    });
  });
});

it('an encoding that nobody knows is refused when the source is made', async () => {
  await expect(replay('a.csv', { encoding: 'utf-61' })).rejects.toThrow(RangeError);
});

it('a byte that is no UTF-8 makes a bad row of its symbol, never another symbol', async () => {
  const rows = `${HEADER}\n${bar('AB')}\n${bar('A?B')}\n`;
  const bytes = Buffer.from(rows);
  bytes[bytes.lastIndexOf('?')] = 0xe9;
  const { items, bad } = await replay(folder.write('latin.csv', bytes));
  expect(items.map(({ symbol }) => symbol)).toEqual(['AB']);
  expect(bad).toMatchObject([{ line: 3, column: 'symbol' }]);
  expect(bad[0]!.message).toContain('A\\ufffdB');
  const read = await replay(folder.write('latin2.csv', bytes), { encoding: 'windows-1252' });
  expect(read.items.map(({ symbol }) => symbol)).toEqual(['AB', 'AéB']);
});
