import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describeValue } from '../primitives/describeValue.js';
import { printable } from '../primitives/printable.js';
import { isSecretName, redactText } from '../primitives/redact.js';
import { type DecodeProblem, MAX_LENGTH, MAX_PROBLEMS } from './decodeProblems.js';

type Issue = StandardSchemaV1.Issue;

interface Place {
  readonly got: string;
  /** What the schema names as expected, where it does; every issue of a place holds, so these do together. */
  readonly expected: Set<string>;
  readonly messages: Set<string>;
}

/**
 * The issues of a Standard Schema in words. The standard has a message per issue, which may quote the value; most libraries also
 * name what they expected. Where a name of the path looks like a secret, only that is shown.
 */
export function schemaProblems(issues: readonly Issue[], input: unknown): DecodeProblem[] {
  const places = new Map<string, Place>();
  for (const issue of issues) {
    const keys = keysOf(issue);
    const path = printable(pathOf(keys), MAX_LENGTH);
    const isSecret = keys.some((key) => isSecretName(String(key)));
    const value = valueAt(input, keys);
    let place = places.get(path);
    if (!place) {
      if (places.size >= MAX_PROBLEMS) continue;
      place = { got: describeValue(value, isSecret), expected: new Set(), messages: new Set() };
      places.set(path, place);
    }
    const expected = expectedOf(issue, keys.length);
    if (isSecret)
      place.expected.add(expected === undefined || quotes(expected, value) ? UNSAID : printable(expected, MAX_LENGTH));
    else if (expected !== undefined) place.expected.add(printable(redactText(expected), MAX_LENGTH));
    else place.messages.add(printable(redactText(String(issue.message)), MAX_LENGTH));
  }
  return Array.from(places, ([path, { got, expected, messages }]) => {
    const named = [...expected].join(' and ');
    if (messages.size === 0) return { path, expected: named, got };
    const message = [...messages].join('; ');
    return { path, expected: named || message, got, message };
  });
}

/** What is said of a secret instead of a sentence that may quote it. */
const UNSAID = 'what its schema accepts';

const quotes = (text: string, value: unknown) => value !== undefined && value !== '' && text.includes(String(value));

/** What most libraries have beside the message. */
interface Expecting {
  readonly code?: unknown;
  readonly expected?: unknown;
  /** Of a union or an intersection: the issues of its members, of each in an array of its own or not. */
  readonly errors?: unknown;
}

/** What an issue expected at its place, whose path has `depth` keys. */
function expectedOf(issue: Issue, depth: number): string | undefined {
  const { code, expected, errors } = issue as Expecting;
  if (Array.isArray(errors) && errors.length > 0) {
    const members = new Set<string>();
    for (const inner of errors.flat() as readonly Issue[]) {
      const at = keysOf(inner).length;
      // Some count the path of a member from the value, some from the place of the union.
      const member = at === 0 || at === depth ? expectedOf(inner, at) : 'another object';
      if (member === undefined) return undefined;
      members.add(member);
    }
    return [...members].join(code === 'intersection' ? ' and ' : ' or ');
  }
  return typeof expected === 'string' && expected !== '' ? expected : undefined;
}

function keysOf({ path }: Issue): readonly PropertyKey[] {
  if (path === undefined || path.length === 0) return [];
  return Array.from(path, (segment) => (typeof segment === 'object' ? segment.key : segment));
}

function pathOf(keys: readonly PropertyKey[]): string {
  let path = '';
  for (const key of keys) {
    if (typeof key === 'number') path += `[${key}]`;
    else path += path === '' ? String(key) : `.${String(key)}`;
  }
  return path;
}

/** What stands at a place of the input. A schema may have been given a getter that throws, or have asked a map. */
function valueAt(input: unknown, keys: readonly PropertyKey[]): unknown {
  try {
    return keys.reduce<unknown>(
      (value, key) =>
        value instanceof Map ? value.get(key) : (value as Readonly<Record<PropertyKey, unknown>> | undefined)?.[key],
      input,
    );
  } catch {
    return undefined;
  }
}
