import type { CouncilSettings, CouncilStatus } from '../../contract/councils.ts';

/** A council forms until enough are seated, and forms again when too few are left. */
export function statusFor(seated: number, minMembers: number): Exclude<CouncilStatus, 'dissolved'> {
  return seated >= minMembers ? 'active' : 'forming';
}

/** What a council is with so many seated now; what is stored may be from before a term ended. */
export function statusNow(council: { status: string; min_members: number }, seated: number): CouncilStatus {
  return council.status === 'dissolved' ? 'dissolved' : statusFor(seated, council.min_members);
}

/** The votes a decision needs: what is configured, no more than are seated, no less than a majority of them. */
export function effectiveQuorum(configured: number, seated: number): number {
  return Math.max(Math.min(configured, seated), Math.floor(seated / 2) + 1);
}

/** Why somebody may not take a seat, or null. Founding seats are an owner's gift, without the gate. */
export function whyNotSeat(facts: {
  settings: CouncilSettings;
  seated: number;
  karma: number;
  contributions: number;
  founding: boolean;
}): string | null {
  const { settings, seated } = facts;
  if (seated >= settings.maxMembers) return `all ${settings.maxMembers} seats are taken`;
  return facts.founding ? null : whyNotEligible(facts);
}

/** Why somebody does not pass the gate of later seats, or null. */
export function whyNotEligible({
  settings,
  karma,
  contributions,
}: {
  settings: CouncilSettings;
  karma: number;
  contributions: number;
}): string | null {
  const lacks = [
    ...(karma < settings.minKarma ? [`${settings.minKarma} karma (has ${karma})`] : []),
    ...(contributions < settings.minContributions
      ? [`${settings.minContributions} landed streams (has ${contributions})`]
      : []),
  ];
  return lacks.length === 0 ? null : `a seat asks for ${lacks.join(' and ')}`;
}

/** When a term that begins now is over: the same day so many months later, or the last one of a shorter month. */
export function termEnd(now: string, months: number): string {
  const at = new Date(now);
  const day = at.getUTCDate();
  at.setUTCDate(1);
  at.setUTCMonth(at.getUTCMonth() + months);
  const days = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate();
  at.setUTCDate(Math.min(day, days));
  return at.toISOString();
}
