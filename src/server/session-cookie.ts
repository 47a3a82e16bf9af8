/** The name is part of the contract. Browsers share it among the ports of one host. */
const NAME = 'gitswarm_session';

/**
 * The secret in the cookie of the dashboard. Two cookies of the name are none: another site of the domain may have set
 * one of them, to have us act as somebody else.
 */
export function readSessionCookie(header: string | undefined): string | undefined {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${NAME}=`))
    .map((pair) => pair.slice(NAME.length + 1));
  return values.length === 1 ? values[0] : undefined;
}

/** The cookie as a browser is to keep it; without a secret it is to forget it. */
export function sessionCookie(
  token: string | undefined,
  { isSecure, expiresAt }: { isSecure: boolean; expiresAt?: string },
): string {
  const expires = token === undefined ? new Date(0) : new Date(expiresAt ?? 0);
  const parts = [
    `${NAME}=${token ?? ''}`,
    'Path=/',
    `Expires=${expires.toUTCString()}`,
    'HttpOnly',
    'SameSite=Strict',
  ];
  if (token === undefined) parts.push('Max-Age=0');
  if (isSecure) parts.push('Secure');
  return parts.join('; ');
}
