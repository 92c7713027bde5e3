import { describe, expect, it } from 'vitest';
import { type Register, Wait } from './wait.js';

/** A registration that calls back when `fire` is called. */
function later() {
  const pending = new Set<() => void>();
  const register: Register = (resume) => {
    pending.add(resume);
    return () => pending.delete(resume);
  };
  const fire = () => {
    const due = [...pending];
    pending.clear();
    for (const resume of due) resume();
  };
  return { pending, register, fire };
}

const atOnce: Register = (resume) => {
  resume();
  return () => {};
};

describe('Wait', () => {
  it('resumes once, and is pending until then', () => {
    const { register, fire } = later();
    const wait = new Wait();
    let resumed = 0;
    wait.begin(register, () => {
      resumed += 1;
    });
    expect(wait.isPending).toBe(true);
    fire();
    fire();
    expect([resumed, wait.isPending]).toEqual([1, false]);
  });

  it('is not pending after a registration that calls back before it returns', () => {
    const wait = new Wait();
    let resumed = 0;
    wait.begin(atOnce, () => {
      resumed += 1;
    });
    expect([resumed, wait.isPending]).toEqual([1, false]);
  });

  it('keeps the wait that a resume has begun, which can be cancelled', () => {
    const { pending, register } = later();
    const wait = new Wait();
    wait.begin(atOnce, () => wait.begin(register, () => {}));
    expect([pending.size, wait.isPending]).toEqual([1, true]);
    wait.cancel();
    expect([pending.size, wait.isPending]).toEqual([0, false]);
  });

  it('replaces the wait that is pending', () => {
    const { pending, register, fire } = later();
    const wait = new Wait();
    const resumed: string[] = [];
    wait.begin(register, () => resumed.push('first'));
    wait.begin(register, () => resumed.push('second'));
    expect(pending.size).toBe(1);
    fire();
    expect(resumed).toEqual(['second']);
  });

  it('does not outlive a cancellation during its registration', () => {
    const { pending, register } = later();
    const wait = new Wait();
    wait.begin(
      (resume) => {
        wait.cancel();
        return register(resume);
      },
      () => {},
    );
    expect([pending.size, wait.isPending]).toEqual([0, false]);
  });

  it('does not resume once it is cancelled, even if the registration calls back all the same', () => {
    const wait = new Wait();
    let call = () => {};
    let resumed = 0;
    wait.begin(
      (resume) => {
        call = resume;
        return () => {};
      },
      () => {
        resumed += 1;
      },
    );
    wait.cancel();
    call();
    expect(resumed).toBe(0);
  });
});
