import { type ErrorOptions, SwarmError } from './errors.ts';

/** The server that decides could not be reached: nothing was decided. */
export class AuthorityAway extends SwarmError {
  /** The place in the outbox where the call is kept, to be made when the server is back; undefined where it is not. */
  readonly kept: { seq: number; operation: string } | undefined;

  constructor(message: string, options: ErrorOptions & { kept?: { seq: number; operation: string } } = {}) {
    const { kept, ...rest } = options;
    super('unavailable', message, {
      ...rest,
      details: { ...rest.details, ...(kept ? { outbox: kept } : {}) },
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
