import { randomBytes } from 'node:crypto';

/** The secret of a dashboard session: `gss_` and 32 random bytes in hex. Only its hash is stored. */
export function newSessionToken(): string {
  return `gss_${randomBytes(32).toString('hex')}`;
}

/** The secret of a login link: `gsl_` and 32 random bytes in hex. Only its hash is stored. */
export function newLinkToken(): string {
  return `gsl_${randomBytes(32).toString('hex')}`;
}
