import { isoTime } from '../../base/clock.ts';

/** "In mode B the approval of a merge is a landing permit (… expiry 10 minutes)": the architecture, under Facts. */
export const LANDING_PERMIT_MS = 10 * 60_000;

/** Until when nobody but whoever prepared a landing settles it. */
export function permitUntil(preparedAt: string | null): string | null {
  return preparedAt === null ? null : isoTime(Date.parse(preparedAt) + LANDING_PERMIT_MS);
}
