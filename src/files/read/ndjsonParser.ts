import { messageOf } from '../../primitives/messageOf.js';
import { printable } from '../../primitives/printable.js';
import { type FileRecord, RowProblem } from './fileRecord.js';
import { type Line, OverlongLine } from './lineSplitter.js';
import { bareLine, type FileSettings, type RecordParser, textOf } from './recordParser.js';
import { UnreadableFileError } from './unreadableFileError.js';

/** One JSON object per line. */
export class NdjsonParser implements RecordParser {
  readonly columns = undefined;
  readonly taken = 1;
  readonly #settings: FileSettings;
  #isFirst = true;

  constructor(settings: FileSettings) {
    this.#settings = settings;
  }

  /** Throws for a file that is one document: a bad row for each of its lines would hide what it is. */
  parse(lines: readonly Line[], at: number, _: number, isLast: boolean): FileRecord | RowProblem | 'more' | undefined {
    const line = lines[at]!;
    const { comment, file } = this.#settings;
    const text = bareLine(textOf(line));
    if (comment && text.startsWith(comment)) return undefined;
    let value: unknown;
    let problem: RowProblem | undefined = line instanceof OverlongLine ? line : undefined;
    try {
      if (!problem) value = JSON.parse(text);
    } catch (error) {
      problem = new RowProblem(reasonOf(text, error));
    }
    const filter = problem && this.#isFirst ? filterFor(text) : undefined;
    const hasMore = line instanceof OverlongLine || at + 1 < lines.length;
    if (filter !== undefined && !hasMore && !isLast) return 'more';
    this.#isFirst = false;
    if (filter !== undefined && hasMore)
      throw new UnreadableFileError(file, 0, { cause: new Error(documentReason(filter)) });
    if (problem) return problem;
    if (Array.isArray(value)) return ARRAY;
    return typeof value === 'object' && value !== null ? (value as FileRecord) : NO_OBJECT;
  }
}

const NO_OBJECT = new RowProblem('is not a JSON object');
const ARRAY = new RowProblem(
  "is a JSON array, not an object: write its elements one per line, for example with jq -c '.[]'",
);

const documentReason = (filter: string) =>
  `it is one JSON document, not NDJSON: write one object per line, for example with jq -c '${filter}'`;

/** What jq needs for the records of the document that begins with this line; `undefined` if none does. */
function filterFor(line: string): string | undefined {
  if (/^\s*\[\s*(?:[[{]|$)/.test(line)) return '.[]';
  return /^\s*\{\s*$/.test(line) ? '.' : undefined;
}

function reasonOf(line: string, error: unknown): string {
  if (line.startsWith('\u001e'))
    return 'begins with a record separator (RFC 7464): remove it, for example with tr -d "\\036"';
  if (/\}\s*,\s*$/.test(line)) return 'is not valid JSON: a comma follows the object; NDJSON has none between lines';
  return `is not valid JSON (${printable(messageOf(error), 120)})`;
}
