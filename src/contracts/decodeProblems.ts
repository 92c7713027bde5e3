import type { Context, Errors } from 'io-ts';
import { describeValue } from '../primitives/describeValue.js';
import { printable } from '../primitives/printable.js';
import { isSecretName } from '../primitives/redact.js';

export { describeValue };

/** What is wrong at one place of a value. */
export interface DecodeProblem {
  /** Where: `legs[2].strike`, or an empty string for the value itself. */
  readonly path: string;
  /** What the codec expected there. */
  readonly expected: string;
  /** What it found, in at most 80 characters; objects and what looks like a secret are described rather than quoted. */
  readonly got: string;
  /** What the schema says is wrong, if it says it in a sentence of its own rather than by what it expected. */
  readonly message?: string;
}

/** In characters, of each part of a problem. */
export const MAX_LENGTH = 80;

/** Beyond this many, problems of one value are counted and not described. */
export const MAX_PROBLEMS = 20;

/** A union of many is cut short: the reader knows it by then. */
const MAX_EXPECTED = 4;

/** The errors of an io-ts codec in words. Errors at one place, as a union makes them, become one problem. */
export function decodeProblems(errors: Errors): DecodeProblem[] {
  const byPath = new Map<string, { expected: Set<string>; got: string }>();
  for (const { context, value, message } of errors) {
    const path = printable(pathOf(context), MAX_LENGTH);
    const known = byPath.get(path);
    const expected = printable(message ?? context.at(-1)?.type.name ?? 'another value', MAX_LENGTH);
    if (known) known.expected.add(expected);
    else if (byPath.size < MAX_PROBLEMS) {
      const isSecret = context.some(({ key }) => isSecretName(key));
      byPath.set(path, { expected: new Set([expected]), got: describeValue(value, isSecret) });
    }
  }
  return [...byPath].map(([path, { expected, got }]) => {
    const names = [...expected].slice(0, MAX_EXPECTED);
    return { path, expected: names.join(' or '), got };
  });
}

/** One line for humans: `expected number, got "abc"`. */
export function describeProblem({ expected, got, message }: DecodeProblem): string {
  return message === undefined ? `expected ${expected}, got ${got}` : `${message} (got ${got})`;
}

/** io-ts writes the member of a union or an intersection into the path like a field; a reader of the data has none. */
function pathOf(context: Context): string {
  let path = '';
  context.forEach(({ key }, index) => {
    const parent = index === 0 ? undefined : tagOf(context[index - 1]?.type);
    if (key === '' || parent === 'UnionType' || parent === 'IntersectionType') return;
    if (parent === 'ArrayType' || parent === 'ReadonlyArrayType' || parent === 'TupleType') path += `[${key}]`;
    else path += path === '' ? key : `.${key}`;
  });
  return path;
}

function tagOf(type: object | undefined): unknown {
  return (type as { readonly _tag?: unknown } | undefined)?._tag;
}
