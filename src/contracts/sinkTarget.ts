/** The sink that gave items up, as their letter names it. */
export interface SinkTarget {
  /** The name of the sink. */
  readonly name: string;
  /** The table that it writes, if it is one of Postgres. */
  readonly table?: string;
  /** The schema of the table, unless it is the first of the connection's `search_path`. */
  readonly schema?: string;
  /** The kind of market records that the table holds; absent for a table of your own. */
  readonly records?: string;
}

interface Named {
  readonly name: string;
}

/** Of the sinks themselves: a copy of a sink with another `write`, or a wrapper around it, may write anywhere. */
const TARGETS = new WeakMap<object, Omit<SinkTarget, 'name'>>();

/** Says where a sink writes, and returns it. */
export function aimed<S extends Named>(sink: S, target: Omit<SinkTarget, 'name'>): S {
  TARGETS.set(sink, target);
  return sink;
}

/** What is known of where a sink writes: of a sink of the user's only the name. */
export function targetOf(sink: Named): SinkTarget {
  return { name: sink.name, ...TARGETS.get(sink) };
}
