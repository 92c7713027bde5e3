import { afterAll, describe, expect, it } from 'vitest';
import { Folder } from '../../../../test/support/folder.js';
import { readBytes } from '../../../../test/support/readBytes.js';
import { ByteInput } from './byteInput.js';
import { unzstd } from './zstd.js';
import { LIBRARY_DECODER } from './zstdLibrary.js';

const folder = new Folder();

afterAll(() => folder.remove());

const TEXT = Array.from({ length: 40 }, (_, i) => `acme,SPY,${i * 7919}\n`).join('');

/** What zstd 1.5.4 makes of the text: of a file, which has a size and a checksum; of a pipe without them; and at level 19. */
const FRAMES = {
  file: Buffer.from(
    'KLUv/WRuAfUFAOILGxSQJ8UG8/9qWYqVSiJKonxhd1fgAgKlatFvscVrriFRpZ82OJ2EW2Kp520QW1awL690urcHW6wQ3xmOzBRX2JHgaMqiIqdGyjtW53+k2nlSSXXERIgtNInvDw2DTNGKMs+TsCFgADAQFAwIBCkgQCOZ1ANGNwiO4NroRjOaUbBIfYHRjG40ow2SI3JkFNcijYbUAsMLQBr90WjPRnc2mrPRm43WNNrWt96k0ba29dY3YbRtLbN1jE1cVC96PihY',
    'base64',
  ),
  pipe: Buffer.from(
    'KLUv/QBY9QUA4gsbFJAnxQbz/2pZipVKIkqifGF3V+ACAqVq0W+xxWuuIVGlnzY4nYRbYqnnbRBbVrAvr3S6twdbrBDfGY7MFFfYkeBoyqIip0bKO1bnf6TaeVJJdcREiC00ie8PDYNM0Yoyz5OwIWAAMBAUDAgEKSBAI5nUA0Y3CI7g2uhGM5pRsEh9gdGMbjSjDZIjcmQU1yKNhtQCwwtAGv3RaM9Gdzaas9GbjdY02ta33qTRtrb11jdhtG0ts3WMTVxULw==',
    'base64',
  ),
  strong: Buffer.from(
    'KLUv/WRuAeUEAGIMHBOgJznn/35EAT92C5G7Argq3hwBA4eorU1kkxqayYP/mNYrHLQRF41n94UeVTkrJOEUefXrw1tdWCJ2XtUxxjFzxx3pGJl91HQag8ZPdaTOVeNpxeLL1yJDZOyhPy7X+KDcl5KQWawPIwIFgCAUBoInqBAQocPXDLAV5BwQVqztGlCpA2IjZgXEQozVoGXiJT8uikyQcg1aCno+KFg=',
    'base64',
  ),
};

/** A frame of RFC 8878 with one block of `size` bytes that repeats a byte, and no checksum. */
function repeated(byte: string, size: number, { isLast = true } = {}): Buffer {
  const block = Buffer.alloc(4);
  block.writeUIntLE((size << 3) | 2 | (isLast ? 1 : 0), 0, 3);
  block[3] = byte.charCodeAt(0);
  return Buffer.concat([MAGIC, Buffer.from([0, 0x38]), block]);
}

const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const SKIPPABLE = Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from('any')]);

const read = (bytes: Buffer) => readBytes(folder.write('a.csv.zst', bytes));

/** The same by the library, whatever Node has. */
async function readByLibrary(
  bytes: Buffer,
  step = bytes.length,
): Promise<{ text: string; failure: string | undefined }> {
  let at = 0;
  const input = new ByteInput(async () => {
    const chunk = bytes.subarray(at, at + step);
    at += chunk.length;
    return chunk.length > 0 ? chunk : undefined;
  });
  let text = '';
  try {
    for await (const chunk of unzstd(input, LIBRARY_DECODER)) text += chunk.toString();
    return { text, failure: undefined };
  } catch (error) {
    return { text, failure: (error as Error).message };
  }
}

describe.each([
  ['as this Node reads it', read],
  ['by the library', readByLibrary],
])('zstd %s', (_by, decode) => {
  it.each(Object.entries(FRAMES))('reads a frame: %s', async (_name, frame) => {
    expect(await decode(frame)).toEqual({ text: TEXT, failure: undefined });
  });

  it('reads all frames that follow one another, also skippable ones, and with zeros between them', async () => {
    const { file, pipe } = FRAMES;
    const bytes = Buffer.concat([
      SKIPPABLE,
      file,
      pipe,
      SKIPPABLE,
      Buffer.alloc(9),
      repeated('x', 20),
      Buffer.alloc(3),
    ]);
    expect(await decode(bytes)).toEqual({ text: `${TEXT}${TEXT}${'x'.repeat(20)}`, failure: undefined });
  });

  it('refuses what follows a frame and is none, after the rows before it', async () => {
    expect(await decode(Buffer.concat([FRAMES.file, Buffer.from('garbage')]))).toEqual({
      text: TEXT,
      failure: expect.stringMatching(/^its zstd data are followed by bytes that are no zstd data/),
    });
  });

  it('refuses frames that are cut at any byte', async () => {
    for (const frame of Object.values(FRAMES)) {
      for (let length = 4; length < frame.length; length += length < 24 || length > frame.length - 8 ? 1 : 5) {
        const { text, failure } = await decode(frame.subarray(0, length));
        expect(failure).toMatch(/^its zstd data (?:end too early|are damaged)/);
        expect(TEXT.startsWith(text)).toBe(true);
      }
    }
  });

  it('reads a frame with a checksum whole or refuses it, whatever byte of its header or elsewhere is changed', async () => {
    const { file } = FRAMES;
    for (let at = 4; at < file.length; at += at < 24 ? 1 : 7) {
      const bytes = Buffer.from(file);
      bytes[at]! ^= at % 2 === 0 ? 0x01 : 0x80;
      const { text, failure } = await decode(bytes);
      if (failure === undefined) expect([at, text]).toEqual([at, TEXT]);
    }
  });

  it('refuses a window that is larger than memory should be, and a dictionary', async () => {
    const large = Buffer.concat([MAGIC, Buffer.from([0, 0xa0, 1, 0, 0])]);
    expect((await decode(large)).failure).toMatch(
      /need 1024 MiB to be decompressed, more than the \d+ MiB.*zstd -d --long=31 /,
    );
    const dictionary = Buffer.concat([MAGIC, Buffer.from([1, 0x38, 7, 1, 0, 0])]);
    expect((await decode(dictionary)).failure).toMatch(/need a dictionary/);
  });
});

it('a file that says how often a byte is repeated is not held in memory', async () => {
  const block = repeated('x', 131_072, { isLast: false }).subarray(6);
  const bomb = Buffer.concat([
    MAGIC,
    Buffer.from([0, 0x38]),
    ...Array<Buffer>(200).fill(block),
    Buffer.from([1, 0, 0]),
  ]);
  let pulled = 0;
  const input = new ByteInput(async () => (pulled++ === 0 ? bomb : undefined));
  let largest = 0;
  let size = 0;
  for await (const chunk of unzstd(input, LIBRARY_DECODER)) {
    largest = Math.max(largest, chunk.length);
    size += chunk.length;
  }
  expect([largest, size]).toEqual([131_072, 200 * 131_072]);
});

it('pieces may be cut anywhere', async () => {
  for (const step of [1, 2, 3, 7, 64]) expect((await readByLibrary(FRAMES.file, step)).text).toBe(TEXT);
});
