/** What karma is given and taken for. All amounts are whole numbers; a total never falls below 0. */

/** For a landing, by the bounty that it works off. */
export function landingKarma(amount: number): number {
  return Math.max(1, Math.floor(amount / 10));
}

/** For a verdict that the outcome has confirmed. */
export const CONFIRMED_REVIEW_KARMA = 1;

/** For the approval of a landing that was reverted. */
export const REVERTED_APPROVAL_KARMA = -2;

/** What is really added to a total when `amount` is due. */
export function karmaChange(total: number, amount: number): number {
  return Math.max(0, total + amount) - total;
}
