import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Config, readRecords } from '../../test/support/fileRecords.js';
import { Folder } from '../../test/support/folder.js';

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder.remove());

const read = (content: string, config: Config = {}) => readRecords(folder.write('rows.ndjson', content), config);

describe('replayFile of NDJSON', () => {
  it.each([
    ['[', '.[]'],
    ['[{"a":1},', '.[]'],
    [' [ {', '.[]'],
    ['[[1,2],', '.[]'],
    ['{', '.'],
  ])('refuses a document over several lines with the remedy, if its first is %s', async (first, filter) => {
    const { records, bad, problem, error } = await read(`${first}\n"a":1}\n]\n`);
    expect([records, bad]).toEqual([[], []]);
    expect(error).toMatchObject({ code: 'SLUICE_FILE_UNREADABLE' });
    expect(problem).toContain('it is one JSON document, not NDJSON');
    expect(problem).toContain(`jq -c '${filter}'`);
  });

  it('refuses an array that is longer than a record', async () => {
    const { problem } = await read(JSON.stringify(Array.from({ length: 100 }, (_, a) => ({ a }))), {
      maxRecordBytes: 500,
    });
    expect(problem).toContain("jq -c '.[]'");
  });

  it('takes an array on one line for a bad row, with the remedy, which the error at the end repeats', async () => {
    const { bad, problem } = await read('[{"a":1},{"a":2}]');
    expect(bad).toHaveLength(1);
    expect(problem).toMatch(/the only row .* is a JSON array, not an object: write its elements .* jq -c '\.\[\]'$/);
    const { records } = await read('[{"a":1}]\n[WARN] started\n{"a":2}\n[\n{\n');
    expect(records).toEqual([{ a: 2 }]);
  });

  it('takes a torn first line for a bad row', async () => {
    for (const torn of ['":1}', '{"a":', '[WARN] started', '1,2', '<xml>']) {
      const { records, bad } = await read(`${torn}\n{"a":2}\n`);
      expect(records).toEqual([{ a: 2 }]);
      expect(bad).toHaveLength(1);
    }
  });

  it('tells of separators and commas around objects', async () => {
    const { records, bad } = await read('{"a":1},\n{"a":2} , \r\n\u001e{"a":3}\n{"a":4}\n');
    expect(records).toEqual([{ a: 4 }]);
    expect(bad.map(({ line, reason }) => [line, reason])).toEqual([
      [1, expect.stringContaining('a comma follows the object')],
      [2, expect.stringContaining('a comma follows the object')],
      [3, expect.stringContaining('begins with a record separator (RFC 7464)')],
    ]);
  });

  it('reads files that were put behind one another, each with its byte order mark', async () => {
    const { records, bad, lines } = await read('\uFEFF{"a":1}\r\n\uFEFF{"b":2}\n\n\uFEFF\n{"c":3}');
    expect(bad).toEqual([]);
    expect(records).toEqual([{ a: 1 }, { b: 2 }, { c: 3 }]);
    expect(lines).toEqual([1, 2, 5]);
  });
});
