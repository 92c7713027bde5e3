/** The one place where Effect's `Schema` is imported: what was the package `@effect/schema` lives on inside `effect`. */
import * as Schema from 'effect/Schema';

export { Schema };
