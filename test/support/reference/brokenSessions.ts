import { BadCredentials, ConnectionLost } from '../../../src/providers/providerErrors.js';
import type { Frame, Series, SessionStep } from '../../../src/providers/session.js';
import { ReferenceSession } from './referenceSession.js';

export class ForgetsKind extends ReferenceSession {
  override subscribe(series: readonly Series[]): SessionStep {
    const [forgotten, asked] = [series.filter(isQuote), series.filter((one) => !isQuote(one))];
    return { ...super.subscribe(asked), confirmed: forgotten };
  }
}

export class ConfirmsAtOnce extends ReferenceSession {
  override subscribe(series: readonly Series[]): SessionStep {
    return { ...super.subscribe(series), confirmed: series };
  }
}

export class AsksNothing extends ReferenceSession {
  override subscribe(series: readonly Series[]): SessionStep {
    return { confirmed: series };
  }
}

export class FailsWholeFrame extends ReferenceSession {
  protected override answer(answer: Parameters<ReferenceSession['answer']>[0]): SessionStep {
    const isBad = answer.records?.some((record) => typeof (record as { symbol?: unknown }).symbol !== 'string');
    return isBad ? { elements: [{}] } : super.answer(answer);
  }
}

export class IgnoresNonsense extends ReferenceSession {
  override frame(frame: Frame): SessionStep {
    const step = super.frame(frame);
    return step.fail instanceof ConnectionLost ? {} : step;
  }
}

export class HidesRefusals extends ReferenceSession {
  protected override answer(answer: Parameters<ReferenceSession['answer']>[0]): SessionStep {
    return answer.op === 'refused' ? {} : super.answer(answer);
  }
}

export class FailsForOne extends ReferenceSession {
  protected override answer(answer: Parameters<ReferenceSession['answer']>[0]): SessionStep {
    return answer.op === 'refused' ? { fail: new ConnectionLost('reference', 'refused') } : super.answer(answer);
  }
}

export class TriesAgain extends ReferenceSession {
  protected override farewell() {
    return new ConnectionLost('reference', 'good bye', { cause: 'good bye' });
  }
}

export class SaysNoWords extends ReferenceSession {
  protected override farewell() {
    return new BadCredentials('reference', 'the login was rejected');
  }
}

const isQuote = ({ of }: Series) => of === 'quote';
