import { expectType } from './equal.js';

declare const anything: ReturnType<typeof JSON.parse>;
declare const text: string;
declare const mutable: { a: number };
declare const optional: { a?: number };
declare const letter: 'a';
declare const pair: readonly [1, 'b'];

expectType<string>()(text);
expectType<readonly [1, 'b']>()(pair);
expectType<{ a?: number }>()(optional);

// @ts-expect-error different types
expectType<number>()(text);
// @ts-expect-error a subtype
expectType<string>()(letter);
// @ts-expect-error `any` is only equal to itself
expectType<string>()(anything);
// @ts-expect-error `any` is not `unknown` either
expectType<unknown>()(anything);
// @ts-expect-error mutable is not readonly
expectType<{ readonly a: number }>()(mutable);
// @ts-expect-error optional is not required
expectType<{ a: number }>()(optional);
