import type { Clock } from '../../base/clock.ts';
import type { Tx } from '../../db/database.ts';
import type { NewEvent } from './events-store.ts';

/** What an effect on rows needs of the operation it is a part of. */
export interface EffectContext {
  db: Tx;
  clock: Clock;
  /** The one time of the call, in ISO 8601. */
  now: string;
  emit(event: NewEvent & { repoId?: string | null }): void;
}
