import { type ErrorOptions, SwarmError } from './errors.ts';

/** The exit code is the same whether a call was kept or not: the words and `details.kept` tell. */
const NOTHING_KEPT =
  'Nothing was kept of this: ask again when the server is back. gitswarm sync status shows what waits for it.';

/** The server that decides could not be reached: nothing was decided. */
export class AuthorityAway extends SwarmError {
  /** The place in the outbox where the call is kept, to be made when the server is back; undefined where it is not. */
  readonly kept: { seq: number; operation: string } | undefined;

  constructor(message: string, options: ErrorOptions & { kept?: { seq: number; operation: string } } = {}) {
    const { kept, ...rest } = options;
    super('unavailable', message, {
      ...rest,
      fix: rest.fix ?? (kept ? undefined : NOTHING_KEPT),
      details: { ...rest.details, kept: kept?.seq ?? null, ...(kept ? { outbox: kept } : {}) },
    });
    this.name = 'AuthorityAway';
    this.kept = kept;
  }
}

/** What is only a help is left out while the server is away. */
export async function unlessAway<T>(asked: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof AuthorityAway) return otherwise;
    throw error;
  }
}
