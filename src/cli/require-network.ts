import { SwarmError } from '../contract/errors.ts';
import type { Session } from './session.ts';

export function requireNetwork(session: Session): void {
  if (!session.flags.offline) return;
  throw new SwarmError('usage', 'Pushing needs the network, and --offline forbids it.', {
    fix: 'Leave one of the two away.',
  });
}
