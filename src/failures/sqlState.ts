/** The code that SQL gives an error: in a field of its own, as a `StoreError` has it, or as the `code` of a driver. */
export function sqlStateOf(error: unknown): string | undefined {
  const { sqlState, code } = Object(error) as { readonly sqlState?: unknown; readonly code?: unknown };
  return isSqlState(sqlState) ? sqlState : isSqlState(code) ? code : undefined;
}

/** Each has a digit, and none begins with E, as codes of the system do that have five characters, such as EPIPE and E2BIG. */
export function isSqlState(code: unknown): code is string {
  return typeof code === 'string' && /^(?=.*\d)[0-9A-DF-Z][0-9A-Z]{4}$/.test(code);
}
