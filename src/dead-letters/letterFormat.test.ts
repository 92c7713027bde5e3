import { describe, expect, it } from 'vitest';
import { LetterFormat } from './letterFormat.js';
import { encodeLetters, headOf, lineHead } from './letterLine.js';

const draft = { at: 5, pipeline: 'p', stage: 's', reason: 'poison', error: null, attempts: 2, replays: 1 };
const lineOf = (items: readonly unknown[]) =>
  Buffer.from((lineHead('7', 3) + encodeLetters({ ...draft, items }, 1e6)[0]!.rest).trimEnd());
const format = new LetterFormat();

describe('the format of letters', () => {
  it('is what the guide says it is', () => {
    expect(lineOf([{ kind: 'bar', a: 1 }]).toString()).toBe(
      '{"v":1,"id":"7-3","count":1,"at":5,"pipeline":"p","stage":"s","reason":"poison","error":null,"attempts":2,' +
        '"replays":1,"kind":"bar","values":"json","items":[{"kind":"bar","a":1}]}',
    );
    expect(headOf(lineOf([1, 2]))).toEqual({ ordinal: 3, weight: 2 });
  });

  it.each([
    [[{ kind: 'bar' }, { kind: 'bar' }], 'bar'],
    [[{ kind: 'bar' }, { kind: 'news' }], 'mixed'],
    [[{ kind: 5 }, 'text', null], null],
  ])('says of what kind %j are', (items, kind) => {
    expect(format.parse(lineOf(items))).toMatchObject({ is: 'entry', value: { kind } });
  });

  it.each<[string, (line: string) => string | Buffer, RegExp]>([
    ['no JSON', (line) => line.slice(0, -1), /not JSON/],
    ['no version', () => '{"id":"7-3"}', /no version/],
    ['a part is missing', (line) => line.replace('"stage":"s",', ''), /stage/],
    ['a part is of another type', (line) => line.replace('"at":5', '"at":"5"'), /at/],
    ['items are missing', (line) => line.replace('[1,2]', '[1]'), /1 items instead of 2/],
    [
      'a byte is no text',
      (line) => Buffer.concat([Buffer.from(line.slice(0, -20)), Buffer.of(0xff), Buffer.from(line.slice(-20))]),
      /UTF-8/,
    ],
    [
      'marks that are none',
      (line) => line.replace('"json"', '"marked"').replace('[1,2]', '[1,{"$":"x","of":""}]'),
      /there is no value "x"/,
    ],
  ])('tells a damaged line: %s', (_, damage, reason) => {
    expect(format.parse(Buffer.from(damage(lineOf([1, 2]).toString())))).toEqual({
      is: 'corrupt',
      reason: expect.stringMatching(reason),
    });
  });

  it('leaves a version that it does not know', () => {
    expect(format.parse(Buffer.from('{"v":9,"what":"ever"}'))).toEqual({ is: 'unknownVersion', version: 9 });
  });

  it('reads an older version through its migrations, each step checked', () => {
    const v1 = {
      v: 1,
      decode: (envelope: unknown) =>
        new LetterFormat().parse(Buffer.from(JSON.stringify(envelope))).is === 'entry' ? envelope : fail(),
    };
    const fail = () => {
      throw new TypeError('not a version 1');
    };
    const old = {
      v: -1,
      decode: (envelope: unknown) => {
        if (typeof (envelope as { age?: unknown }).age !== 'string') throw new TypeError('it has no age');
        return envelope;
      },
      toNext: ({ age, ...rest }: { age: string }) => ({ ...rest, v: 0, when: Number(age) }),
    };
    const middle = {
      v: 0,
      decode: (envelope: unknown) => envelope,
      toNext: ({ when, ...rest }: { when: number }) => ({ ...rest, v: 1, at: when }),
    };
    const versions = new LetterFormat([old, middle, v1]);
    const { at: _, ...current } = JSON.parse(lineOf([1, 2]).toString()) as { at: number };
    const line = (envelope: unknown) => Buffer.from(JSON.stringify(envelope));
    expect(versions.parse(line({ ...current, v: -1, age: '42' }))).toMatchObject({
      is: 'entry',
      value: { at: 42, items: [1, 2] },
    });
    expect(versions.parse(line({ ...current, v: 0, when: 43 }))).toMatchObject({ is: 'entry', value: { at: 43 } });
    expect(versions.parse(lineOf([1, 2]))).toMatchObject({ is: 'entry', value: { at: 5 } });
    expect(versions.parse(line({ ...current, v: -1 }))).toEqual({ is: 'corrupt', reason: 'it has no age' });
  });
});
