import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { type BytesOptions, openBytes } from './openBytes.js';

const folder = mkdtempSync(join(tmpdir(), 'sluice-bytes-'));

afterAll(() => rmSync(folder, { recursive: true }));

const TEXT = 'vendor,symbol\nacme,SPY\n';
const OTHER = 'acme,QQQ\n';

function file(content: string | Buffer, name = 'file.csv'): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** What could be read, and the message of the failure that ended it. */
async function read(path: string, options: BytesOptions = {}): Promise<{ text: string; failure: string | undefined }> {
  const stream = openBytes(path, options);
  const chunks: Buffer[] = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  const failure = await new Promise<string | undefined>((resolve) => {
    stream.on('error', (error) => resolve(error.message));
    stream.on('end', () => resolve(undefined));
  });
  return { text: Buffer.concat(chunks).toString(), failure };
}

describe('the first bytes decide what a file is', () => {
  it('gzip is read under any name', async () => {
    for (const name of ['prices.csv', 'prices.csv.gz', 'prices'])
      expect(await read(file(gzipSync(TEXT), name))).toEqual({ text: TEXT, failure: undefined });
  });

  it('text named .gz is read as text', async () => {
    expect(await read(file(TEXT, 'prices.csv.gz'))).toEqual({ text: TEXT, failure: undefined });
  });

  it('gzip in gzip is read, as servers send it, but not without end', async () => {
    let bytes = Buffer.from(TEXT);
    for (let depth = 0; depth < 3; depth++) bytes = gzipSync(bytes);
    expect(await read(file(bytes))).toEqual({ text: TEXT, failure: undefined });
    expect((await read(file(gzipSync(bytes)))).failure).toContain('more than three times over');
  });

  it.each([0, 1, 2, 3])('a file of %i bytes is text', async (length) => {
    const text = TEXT.slice(0, length);
    expect(await read(file(text))).toEqual({ text, failure: undefined });
  });

  it('an empty file named .gz is a truncated one', async () => {
    expect((await read(file('', 'empty.csv.gz'))).failure).toContain('ends too early');
    expect((await read(file('', 'empty.csv'), { gzip: true })).failure).toContain('ends too early');
  });

  it('gzip: true asserts it, and gzip: false takes the bytes as they are', async () => {
    expect(await read(file(gzipSync(TEXT)), { gzip: true })).toEqual({ text: TEXT, failure: undefined });
    expect(await read(file(TEXT, 'prices.csv.gz'), { gzip: true })).toEqual({
      text: '',
      failure: expect.stringMatching(
        /^it does not begin as gzip data does, although gzip: true says so; leave gzip out/,
      ),
    });
    const { text, failure } = await read(file(gzipSync(TEXT)), { gzip: false });
    expect([text, failure]).toEqual([gzipSync(TEXT).toString(), undefined]);
  });
});

describe('gzip', () => {
  const one = gzipSync(TEXT);
  const two = gzipSync(OTHER);
  const zeros = (count: number) => Buffer.alloc(count);

  it.each([
    ['directly', Buffer.concat([one, two])],
    ['with padding between them', Buffer.concat([one, zeros(3), two])],
    ['with more padding than a chunk', Buffer.concat([one, zeros(200_000), two, zeros(200_000)])],
    ['with an empty member between them', Buffer.concat([one, gzipSync(''), zeros(512), two, gzipSync('')])],
  ])('members that follow one another %s are all read', async (_how, bytes) => {
    expect(await read(file(bytes))).toEqual({ text: TEXT + OTHER, failure: undefined });
  });

  it('members are read to the end wherever a chunk ends in them', async () => {
    const tail = Buffer.concat([two, zeros(2), two]);
    for (let before = 65_536 - tail.length - 2; before < 65_536 + 2; before++) {
      // A stored name of any length moves the boundary without changing what is read.
      const name = Buffer.alloc(before - one.length, 'n');
      name[name.length - 1] = 0;
      const named = Buffer.concat([one.subarray(0, 10), name, one.subarray(10)]);
      named[3] = 0x08;
      expect(await read(file(Buffer.concat([named, tail])))).toEqual({
        text: TEXT + OTHER + OTHER,
        failure: undefined,
      });
    }
  });

  it('header fields are passed over, and a wrong sum of the header is refused', async () => {
    const fields = Buffer.from([0x1f, 0x8b, 8, 0x1f, 0, 0, 0, 0, 0, 3, 2, 0, 9, 9, 0x61, 0, 0x62, 0]);
    const { crc32 } = await import('./containers/crc32.js');
    const sum = Buffer.alloc(2);
    sum.writeUInt16LE(crc32(fields) & 0xffff);
    expect(await read(file(Buffer.concat([fields, sum, one.subarray(10)])))).toEqual({
      text: TEXT,
      failure: undefined,
    });
    sum[0]! ^= 1;
    expect((await read(file(Buffer.concat([fields, sum, one.subarray(10)])))).failure).toContain('damaged');
  });

  it.each([
    ['other bytes', Buffer.from('garbage')],
    ['padding and other bytes', Buffer.from('\0\0x')],
    ['half a signature', one.subarray(0, 1)],
  ])('a member followed by %s is read, and then refused', async (_what, garbage) => {
    expect(await read(file(Buffer.concat([one, garbage])))).toEqual({
      text: TEXT,
      failure: expect.stringContaining('its gzip data is followed by bytes that are no gzip data'),
    });
  });

  it('data cut at any byte are refused as truncated', async () => {
    const whole = Buffer.concat([one, two]);
    for (let length = 2; length < whole.length; length++) {
      const { text, failure } = await read(file(whole.subarray(0, length)));
      if (length === one.length) expect([text, failure]).toEqual([TEXT, undefined]);
      else expect(failure).toMatch(length === one.length + 1 ? /followed by bytes/ : /ends too early/);
      expect((TEXT + OTHER).startsWith(text)).toBe(true);
    }
  });

  it('data with any byte changed are read whole or refused', async () => {
    const whole = Buffer.concat([one, two]);
    for (let at = 0; at < whole.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const bytes = Buffer.from(whole);
        bytes[at]! ^= flip;
        const { text, failure } = await read(file(bytes));
        // The first two bytes make it gzip: without them it is text or binary, of which no row is good.
        if (failure === undefined && at > 1) expect(text).toBe(TEXT + OTHER);
      }
    }
  });
});

describe('text that is not in UTF-8', () => {
  const utf16 = Buffer.from(TEXT, 'utf16le');
  const utf32 = Buffer.from([...TEXT].flatMap((char) => [char.charCodeAt(0), 0, 0, 0]));
  it.each([
    ['UTF-16LE', Buffer.from(`\uFEFF${TEXT}`, 'utf16le')],
    ['UTF-16LE', utf16],
    ['UTF-16BE', Buffer.from(`\uFEFF${TEXT}`, 'utf16le').swap16()],
    ['UTF-16BE', Buffer.from(utf16).swap16()],
    ['UTF-32LE', Buffer.concat([Buffer.from([0xff, 0xfe, 0, 0]), utf32])],
    ['UTF-32LE', utf32],
    ['UTF-32BE', Buffer.from(utf32).swap32()],
  ])('is refused by the name of its encoding: %s', async (encoding, bytes) => {
    for (const content of [bytes, gzipSync(bytes)]) {
      const { text, failure } = await read(file(content));
      expect(text).toBe('');
      expect(failure).toContain(`is text in ${encoding}, not in UTF-8; `);
    }
  });

  it('but not because a few bytes are zero, which is binary data', async () => {
    expect((await read(file('a,b\n1,\0\n'))).failure).toMatch(/^it is binary data, not text/);
  });
});

describe('what is no text is named, with the remedy:', () => {
  const latin = (text: string) => Buffer.from(text, 'latin1');
  it.each([
    [
      'Parquet',
      latin('PAR1\x15\x04\x15\x10'),
      /^it is a Parquet file; convert it: duckdb -c "COPY \(FROM '.*x\.csv'\) TO '.*x\.csv\.csv'"$/,
    ],
    ['SQLite', latin('SQLite format 3\0\x10\0'), /a SQLite database; export the table: sqlite3 -header -csv /],
    ['Excel of old', latin('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0'), /an old Excel file/],
    ['a login page', latin('\n\n<!DOCTYPE html>\n<html><body>Sign in'), /a web page \(HTML\), such as a login/],
    ['an error in XML', latin('<?xml version="1.0"?><Error>AccessDenied</Error>'), /an XML document/],
    ['xz', latin('\xfd7zXZ\0\0\x04'), /compressed with xz; decompress it first: xz -dk /],
    ['bzip2', latin('BZh91AY&SY..'), /compressed with bzip2; decompress it first: bzip2 -dk /],
    ['HDF5', latin('\x89HDF\r\n\x1a\n'), /an HDF5 file/],
    [
      'tar',
      Buffer.concat([latin('bars.csv'.padEnd(257, '\0')), latin('ustar\0')]),
      /a tar archive; unpack it first: tar -xf /,
    ],
  ])('%s', async (_what, bytes, message) => {
    const { text, failure } = await read(file(bytes, 'x.csv'));
    expect([text, failure]).toEqual(['', expect.stringMatching(message)]);
    const inside = await read(file(gzipSync(bytes)));
    expect(inside.failure).toMatch(/^what is compressed in it is /);
  });

  it('but text that only begins as such a file does is text', async () => {
    for (const text of ['PAR1,PAR2\n1,2\n', 'ORCL,open\n', 'BZh91,x\n', 'DBN\n1\n', '<html5>,b\n'])
      expect(await read(file(text))).toEqual({ text, failure: undefined });
  });
});

it('a stream that is destroyed before it is read opens nothing', async () => {
  const stream = openBytes(join(folder, 'missing'));
  stream.destroy();
  await once(stream, 'close');
});
