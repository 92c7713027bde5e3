/** Counts the writes of a sink and keeps those that are committed. */
export class WriteLog<T> {
  readonly written: (readonly T[])[] = [];
  attempts = 0;
  inFlight = 0;
  maxInFlight = 0;

  /** Counts a write as in flight until the returned function is first called. */
  begin(): () => void {
    this.attempts += 1;
    this.inFlight += 1;
    this.maxInFlight = Math.max(this.maxInFlight, this.inFlight);
    let isOver = false;
    return () => {
      if (!isOver) this.inFlight -= 1;
      isOver = true;
    };
  }
}
