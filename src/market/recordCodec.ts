import { isRight } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';

/** A codec for each field, those that may be left out included. */
export type FieldCodecs<R> = { readonly [K in keyof R]-?: t.Type<R[K] | (undefined extends R[K] ? undefined : never)> };

/** A field that does not go together with the others, and what would. */
export interface Discord<R> {
  readonly field: keyof R & string;
  readonly expected: string;
}

/**
 * Untrusted input to a record of these fields. Names every field that is wrong; where none is, what `discords` finds.
 * Fields that the record does not have are left out, and so are those that are undefined.
 */
export function recordCodec<R extends object>(
  name: string,
  fields: FieldCodecs<R>,
  discords: (record: R) => readonly Discord<R>[] = () => [],
): t.Type<R, R, unknown> {
  const keys = Object.keys(fields) as (keyof R & string)[];

  const validate = (input: unknown, context: t.Context): t.Validation<R> => {
    if (typeof input !== 'object' || input === null || Array.isArray(input)) return t.failure(input, context);
    const given: { readonly [K in keyof R]?: unknown } = input;
    const found: Partial<R> = {};
    const errors: t.ValidationError[] = [];
    for (const key of keys) {
      const value = given[key];
      const field = fields[key];
      if (field.is(value)) {
        if (value !== undefined) found[key] = value;
        continue;
      }
      const decoded = field.validate(value, t.appendContext(context, key, field, value));
      if (!isRight(decoded)) errors.push(...decoded.left);
    }
    if (errors.length > 0) return t.failures(errors);
    const record = found as R;
    for (const { field, expected } of discords(record)) {
      const value = record[field];
      errors.push({ value, context: t.appendContext(context, field, fields[field], value), message: expected });
    }
    return errors.length > 0 ? t.failures(errors) : t.success(record);
  };
  return new t.Type<R, R, unknown>(name, (u): u is R => isRight(validate(u, [])), validate, t.identity);
}
