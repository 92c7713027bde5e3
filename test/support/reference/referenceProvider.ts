import { defineProvider } from '../../../src/providers/defineProvider.js';
import type { Provider, ProviderParts } from '../../../src/providers/provider.js';
import type { ProviderStreamConfig } from '../../../src/providers/streamConfig.js';
import { webSocketConnect } from '../../../src/providers/webSocketConnect.js';
import { ReferenceSession, referenceNormaliser } from './referenceSession.js';
import type { ReferenceVenue } from './referenceVenue.js';

export function referenceParts({ url, secret }: Pick<ReferenceVenue, 'url' | 'secret'>): ProviderParts {
  return {
    name: 'reference',
    kinds: ['trade', 'quote', 'bar'],
    pacing: {},
    session: () => new ReferenceSession(secret),
    normalise: referenceNormaliser(),
    connect: webSocketConnect({ name: 'reference', url, secrets: [secret] }),
    secrets: [secret],
  };
}

/** A provider that keeps all rules. */
export function referenceProvider(venue: ReferenceVenue, config: ProviderStreamConfig): Provider {
  return defineProvider(referenceParts(venue), config);
}
