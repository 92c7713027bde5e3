import type { SchedulerLike } from 'rxjs';
import { type PacingProfile, ProfilePacer } from '../../policies/pacingProfile.js';
import { Timer } from '../../primitives/timer.js';
import type { Frame } from '../session.js';

export interface SenderConfig {
  readonly owner: string;
  readonly profile: PacingProfile<Frame> | undefined;
  readonly scheduler: SchedulerLike;
  readonly send: (frame: Frame) => void;
  /** Called when the last frame that waited is sent. */
  readonly onDrained: () => void;
  /** Receives what `send` and the functions of the profile throw. */
  readonly onError: (error: unknown) => void;
}

/** Sends the frames of one connection in order, as fast as the vendor allows. */
export class Sender {
  readonly #config: SenderConfig;
  readonly #pacer: ProfilePacer<Frame> | undefined;
  readonly #timer: Timer;
  #waiting: Frame[] = [];
  #sent = 0;

  constructor(config: SenderConfig) {
    this.#config = config;
    this.#pacer = config.profile && new ProfilePacer(config.profile, config.owner);
    this.#timer = new Timer(config.scheduler, () => this.#sendSome(true));
  }

  /** Whether nothing waits to be sent. */
  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  push(frames: readonly Frame[]): void {
    const wasIdle = this.isIdle;
    for (const frame of frames) this.#waiting.push(frame);
    if (wasIdle && !this.isIdle) this.#sendSome(false);
  }

  cancel(): void {
    this.#timer.cancel();
    this.#waiting = [];
    this.#sent = 0;
  }

  #sendSome(isLater: boolean): void {
    const { scheduler, send, onDrained, onError } = this.#config;
    try {
      while (this.#sent < this.#waiting.length) {
        const frame = this.#waiting[this.#sent]!;
        const waitMs = this.#pacer?.take(scheduler.now(), this.#pacer.price(frame)) ?? 0;
        if (waitMs > 0) {
          this.#timer.set(waitMs);
          return;
        }
        this.#sent += 1;
        send(frame);
      }
      this.#waiting = [];
      this.#sent = 0;
      if (isLater) onDrained();
    } catch (error) {
      this.cancel();
      onError(error);
    }
  }
}
