import type { StandardSchemaV1 } from '@standard-schema/spec';
import * as t from 'io-ts';
import type { Field } from './fields.js';
import { issuesOf, type RecordIssue, type RecordShape } from './recordShape.js';

/** Untrusted input to a record: an io-ts codec that is a Standard Schema too, for whatever takes one. */
export type Codec<R> = t.Type<R, R, unknown> & StandardSchemaV1<unknown, R>;

/**
 * The io-ts codec of a shape. It names every field that is wrong and, if none is, the contradictions between them. It
 * leaves out fields that the shape does not have, and fields that are undefined.
 */
export function recordCodec<R extends object>(shape: RecordShape<R>): Codec<R> {
  const names = Object.keys(shape.fields) as (keyof R & string)[];
  const types: Readonly<Record<string, t.Type<unknown>>> = Object.fromEntries(
    Object.entries<Field<unknown>>(shape.fields).map(([name, field]) => [name, typeOf(field)]),
  );

  const errorOf = (context: t.Context, input: object, { field, index, value, expected }: RecordIssue) => {
    const type = types[field]!;
    let place = t.appendContext(context, field, type, (input as Readonly<Record<string, unknown>>)[field]);
    if (index !== undefined && type instanceof t.ReadonlyArrayType) {
      place = t.appendContext(place, String(index), type.type, value);
    }
    const isNamed = place.at(-1)?.type.name === expected;
    return { value, context: place, ...(isNamed ? {} : { message: expected }) };
  };

  const validate = (input: unknown, context: t.Context): t.Validation<R> => {
    if (!isRecord(input)) return t.failure(input, context);
    const issues = issuesOf(shape, input);
    if (issues.length > 0) return t.failures(issues.map((issue) => errorOf(context, input, issue)));
    const given = input as R;
    const record: Partial<R> = {};
    for (const name of names) {
      const value = given[name];
      if (value !== undefined) record[name] = value;
    }
    return t.success(record as R);
  };
  const is = (u: unknown): u is R => isRecord(u) && issuesOf(shape, u).length === 0;
  return asSchema(new t.Type<R, R, unknown>(shape.name, is, validate, t.identity));
}

/** Makes a codec of records a Standard Schema too. */
export function asSchema<R>(type: t.Type<R, R, unknown>): Codec<R> {
  const validate = (input: unknown): StandardSchemaV1.Result<R> => {
    const result = type.validate(input, [{ key: '', type, actual: input }]);
    return result._tag === 'Right' ? { value: result.right } : { issues: result.left.map(issueOf) };
  };
  return Object.assign(type, { '~standard': { version: 1, vendor: 'sluice', validate } as const });
}

/** `expected` is beyond the standard: most libraries give it beside the message. */
function issueOf({ context, message }: t.ValidationError): StandardSchemaV1.Issue & { readonly expected: string } {
  const [, ...places] = context;
  const path = places.map(({ key }, index) =>
    places[index - 1]?.type instanceof t.ReadonlyArrayType ? Number(key) : key,
  );
  const expected = message ?? context.at(-1)?.type.name ?? 'another value';
  return { message: `expected ${expected}`, path, expected };
}

function isRecord(u: unknown): u is object {
  return typeof u === 'object' && u !== null && !Array.isArray(u);
}

export function typeOf<A>({ expected, is, element }: Field<A>): t.Type<unknown> {
  // A type of unknowns is only asked, never written through.
  if (element) return t.readonlyArray(typeOf(element), expected) as t.Mixed as t.Type<unknown>;
  return new t.Type<unknown>(expected, is, (u, context) => (is(u) ? t.success(u) : t.failure(u, context)), t.identity);
}
