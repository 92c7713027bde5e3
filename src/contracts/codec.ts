import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Validation } from 'io-ts';
import { checked } from '../primitives/options.js';
import { type DecodeProblem, decodeProblems } from './decodeProblems.js';
import { schemaProblems } from './schemaProblems.js';

/** What checks and converts: an io-ts `Decoder<unknown, T>`, or any object with such a `decode`. */
export interface Decoder<T> {
  decode(input: unknown): Validation<T>;
}

/** An io-ts decoder, or a schema of zod, valibot, arktype or another library that implements Standard Schema 1. */
export type Codec<T> = Decoder<T> | StandardSchemaV1<unknown, T>;

/** A value that a codec rejected. */
export class Refusal {
  readonly problems: readonly DecodeProblem[];

  constructor(problems: readonly DecodeProblem[]) {
    this.problems = problems;
  }
}

/** A codec answers with a promise. That is the fault of no value, so none is rejected for it. */
export class AsyncCodecError extends RangeError {
  constructor(owner: string) {
    super(
      `${owner}: its codec answers with a promise, and a value must be decoded at once: take the asynchronous checks out of ` +
        'the schema, and make them in a boundedMergeMap() behind it',
    );
  }
}

/** The option that takes a codec. */
export const codecOption = () =>
  checked('an io-ts decoder or a Standard Schema of version 1', (value): value is object => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
    const standard = standardOf(value);
    if (standard !== undefined) return standard?.version === 1 && typeof standard.validate === 'function';
    return typeof (value as { readonly decode?: unknown }).decode === 'function';
  });

/** Decodes a value to an item, or to a {@link Refusal}; throws what the codec throws. */
export function decoderOf<T>(owner: string, codec: Codec<T>): (input: unknown) => T | Refusal {
  // First, because a library may have a `decode` of its own beside it, as zod does.
  const standard = standardOf<T>(codec);
  if (standard) {
    return (input) => {
      const result = standard.validate(input);
      if (isThenable(result)) {
        // Nobody waits for it.
        result.then(undefined, () => {});
        throw new AsyncCodecError(owner);
      }
      return result.issues ? new Refusal(schemaProblems(result.issues, input)) : result.value;
    };
  }
  const decoder = codec as Decoder<T>;
  return (input) => {
    const result = decoder.decode(input);
    return result._tag === 'Right' ? result.right : new Refusal(decodeProblems(result.left));
  };
}

function standardOf<T>(codec: object): StandardSchemaV1.Props<unknown, T> | undefined {
  return (codec as Partial<StandardSchemaV1<unknown, T>>)['~standard'];
}

function isThenable<R>(result: R | Promise<R>): result is Promise<R> {
  return typeof (result as Partial<Promise<R>>).then === 'function';
}
