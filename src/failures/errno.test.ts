import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errnoSentence, errnoText } from './errno.js';

const errorOf = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('the sentence for an errno', () => {
  it('says what happened and what to do, for errors as Node throws them', () => {
    const root = mkdtempSync(join(tmpdir(), 'sluice-errno-'));
    writeFileSync(join(root, 'file'), '');
    expect(errnoText(errorOf(() => readFileSync(join(root, 'none'))))).toBe('it does not exist; correct the path');
    expect(errnoText(errorOf(() => readFileSync(root)))).toBe('it is a folder; name a file in it');
    expect(errnoText(errorOf(() => readFileSync(join(root, 'file', 'x'))))).toBe(
      'a file stands where a folder should be; correct the path',
    );
    rmSync(root, { recursive: true });
  });

  it('leaves other errors to themselves', () => {
    expect(errnoText(new Error('as it says'))).toBe('as it says');
    expect(errnoText('text')).toBe('text');
    for (const other of [undefined, null, { code: 5 }, { code: 'toString' }, { code: 'EWHAT' }]) {
      expect(errnoSentence(other)).toBeUndefined();
    }
  });
});
