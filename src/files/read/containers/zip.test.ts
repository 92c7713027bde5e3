import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { Folder } from '../../../../test/support/folder.js';
import { readBytes } from '../../../../test/support/readBytes.js';
import { zipArchive } from '../../../../test/support/zipArchive.js';

const folder = new Folder();

afterAll(() => folder.remove());

const TEXT = 'vendor,symbol\nacme,SPY\nacme,QQQ\n';

const read = (archive: Buffer, entry?: string) => readBytes(folder.write('a.zip', archive), { entry });

describe('zip', () => {
  it.each([
    ['deflated', {}],
    ['stored', { method: 0 }],
    ['of unknown size before, in zip64', { isStreamed: true }],
  ])('the only file is read, %s', async (_how, options) => {
    expect(await read(zipArchive([['prices.csv', TEXT]], options))).toEqual({ text: TEXT, failure: undefined });
  });

  it('a file larger than any buffer is read whole', async () => {
    const text = TEXT.repeat(100_000);
    expect((await read(zipArchive([['prices.csv', text]]))).text.length).toBe(text.length);
  });

  it('folders, and what macOS and Windows put beside the files, do not count', async () => {
    const archive = zipArchive([
      ['data/', ''],
      ['data/prices.csv', TEXT],
      ['__MACOSX/data/._prices.csv', 'x'],
      ['data/.DS_Store', 'x'],
      ['Thumbs.db', 'x'],
    ]);
    expect(await read(archive)).toEqual({ text: TEXT, failure: undefined });
  });

  it('a file that is compressed within it is decompressed as well', async () => {
    expect((await read(zipArchive([['prices.csv.gz', gzipSync(TEXT)]]))).text).toBe(TEXT);
  });

  it('of several files one must be named, and the names are listed', async () => {
    const archive = zipArchive([
      ['a.csv', 'a'],
      ['b\u001b[31m.csv', TEXT],
      ...Array.from({ length: 30 }, (_, i) => [`${'long'.repeat(40)}${i}.csv`, ''] as const),
    ]);
    const { failure } = await read(archive);
    expect(failure).toMatch(
      /^its zip archive holds 32 files: "a\.csv", "b\\u001b\[31m\.csv", .* and 12 more; say which with entry: '…'$/,
    );
    expect(failure!.length).toBeLessThan(2_000);
    expect(await read(archive, 'b\u001b[31m.csv')).toEqual({ text: TEXT, failure: undefined });
    expect((await read(archive, 'c.csv')).failure).toMatch(/^its zip archive holds no file "c\.csv", but "a\.csv"/);
    expect((await readBytes(folder.write('b.csv', TEXT), { entry: 'a.csv' })).failure).toMatch(/^it is no zip archive/);
  });

  it('two files of one name are not told apart by chance', async () => {
    const archive = zipArchive([
      ['a.csv', 'a'],
      ['a.csv', 'b'],
    ]);
    expect((await read(archive, 'a.csv')).failure).toMatch(/^its zip archive holds 2 files named "a\.csv"/);
  });

  it.each([
    ['an empty archive', zipArchive([]), /holds no file/],
    [
      'an Excel workbook',
      zipArchive([
        ['[Content_Types].xml', ''],
        ['xl/workbook.xml', ''],
      ]),
      /^it is an Excel workbook \(\.xlsx\).*soffice/,
    ],
    ['an encrypted file', zipArchive([['a.csv', TEXT]], { flags: 1 }), /"a\.csv" in its zip archive is encrypted/],
    [
      'another method',
      zipArchive([['a.csv', TEXT]], { method: 14 }),
      /is compressed by LZMA, which is not read here; unpack it first: 7z x /,
    ],
    ['a wrong checksum', zipArchive([['a.csv', TEXT]], { crc: 1 }), /its zip archive is damaged/],
    ['a web page inside', zipArchive([['a.csv', '<!DOCTYPE html><html>']]), /^what is compressed in it is a web page/],
  ])('%s is refused with a sentence', async (_what, archive, message) => {
    expect((await read(archive)).failure).toMatch(message);
  });

  it('an archive within compressed data, or from a pipe, is refused', async () => {
    expect((await read(gzipSync(zipArchive([['a.csv', TEXT]])))).failure).toMatch(
      /a zip archive, which can be read from a file only/,
    );
  });

  it('an archive that is cut at any byte is refused', async () => {
    for (const options of [{}, { method: 0 }, { isStreamed: true }]) {
      const archive = zipArchive([['a.csv', TEXT]], options);
      for (let length = 4; length < archive.length; length++)
        expect((await read(archive.subarray(0, length))).failure).toMatch(/zip archive is damaged or truncated/);
    }
  });

  it('an archive with any byte changed is read whole or refused', async () => {
    for (const options of [{}, { method: 0 }, { isStreamed: true }]) {
      const archive = zipArchive([['a.csv', TEXT]], options);
      for (let at = 4; at < archive.length; at++) {
        const bytes = Buffer.from(archive);
        bytes[at]! ^= 0x81;
        const { text, failure } = await read(bytes);
        if (failure === undefined) expect(text).toBe(TEXT);
      }
    }
  });
});
