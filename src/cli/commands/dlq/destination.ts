import type { DeadLetter } from '../../../dead-letters/deadLetter.js';
import { isRecordKind, type RecordKind } from '../../../market/recordKinds.js';

/** What the user says about where letters belong. */
export interface DestinationChoice {
  /** The table of letters that do not name theirs. */
  readonly table?: string;
  readonly schema?: string;
  /** A module with a sink of the user's. */
  readonly sink?: string;
  /** A module with a function that changes items. */
  readonly mend?: string;
}

/** Where a letter is written. */
export type Destination =
  | { readonly to: 'table'; readonly kind: RecordKind; readonly table: string; readonly schema?: string }
  | { readonly to: 'sink' };

/** Why a letter stays where it is. */
export type WhyLeft =
  | 'own sink'
  | 'no sink'
  | 'other table'
  | 'no table'
  | 'not decoded'
  | 'bad row'
  | 'unknown version';

/** Only what gave a letter up can say where its items belong: its kind alone does not. */
export function destinationOf(letter: DeadLetter, choice: DestinationChoice): Destination | WhyLeft {
  const { sink, kind, reason } = letter;
  // The text of a row is no record, and only a sink says of what kind it could become one.
  if (reason === 'badRow' && (choice.mend === undefined || choice.sink === undefined)) return 'bad row';
  // Input that a codec rejected is not a record until it is mended.
  const isRaw = reason === 'decode' && choice.mend === undefined;
  if (choice.sink !== undefined) return isRaw ? 'not decoded' : { to: 'sink' };
  if (sink !== undefined) {
    const { records, table, schema } = sink;
    const isOurs = isRecordKind(records) && table !== undefined;
    if (choice.table === undefined) {
      return isOurs ? { to: 'table', kind: records, table, ...(schema !== undefined && { schema }) } : 'own sink';
    }
    const isOther = choice.table !== table || (choice.schema !== undefined && choice.schema !== schema);
    if (isOurs && isOther) return 'other table';
    const known = records ?? kind;
    if (!isRecordKind(known)) return 'own sink';
    return { to: 'table', kind: known, table: choice.table, ...schemaOf(choice.schema ?? schema) };
  }
  if (!isRecordKind(kind)) return 'no table';
  if (isRaw) return 'not decoded';
  if (choice.table === undefined) return 'no sink';
  return { to: 'table', kind, table: choice.table, ...schemaOf(choice.schema) };
}

function schemaOf(schema: string | undefined): { schema?: string } {
  return schema === undefined ? {} : { schema };
}

/** For messages: `table quotes.bars`, `./my-sink.js`. */
export function destinationText(destination: Destination, choice: DestinationChoice): string {
  if (destination.to === 'sink') return choice.sink ?? '';
  const { table, schema } = destination;
  return `table ${schema === undefined ? '' : `${schema}.`}${table}`;
}

const OR_PROGRAM = 'or use replayDeadLetters() in a program';

export const WHY_LEFT: Readonly<Record<WhyLeft, string>> = {
  'own sink': `not a sink that this command can rebuild: pass --sink ./my-sink.js with the sink as its default export, ${OR_PROGRAM}`,
  'no sink':
    'they do not name the sink that gave them up, as those of earlier versions do not: pass --table <name> if they ' +
    `belong to a table of the store, --sink ./my-sink.js otherwise, ${OR_PROGRAM}`,
  'other table': 'they belong to another table than --table names: replay them without --table',
  'no table': `the store has no table for this kind: pass --sink ./my-sink.js with a sink as its default export, ${OR_PROGRAM}`,
  'not decoded':
    'not decoded yet: replay them through the pipeline that decodes them, or pass --mend ./mend.js with a function that makes records of them',
  'bad row':
    'rows of a file that could not be read, and no records: correct the file or how it is read, read it again, and purge the letters; ' +
    'or pass --mend ./mend.js with a function that makes a record of { file, line, raw }, and --sink ./my-sink.js',
  'unknown version': 'written by a later version of this program, which can replay them',
};
