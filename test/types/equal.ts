/** `true` where two types are one and the same: `any`, `readonly` and optional fields count. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/**
 * For type tests: files of this folder that the type check compiles and nobody runs.
 *
 * `expectType<Expected>()(actual)` compiles where `actual` has that very type. A mistake that must not compile stands
 * under `// @ts-expect-error`, which is an error itself once the mistake compiles.
 */
export function expectType<Expected>() {
  return <Actual>(
    _actual: Actual,
    ..._proof: Equal<Actual, Expected> extends true ? [] : ['these types differ', Actual, Expected]
  ): void => {};
}
