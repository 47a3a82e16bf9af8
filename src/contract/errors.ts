/**
 * The closed list of what can go wrong. HTTP status, exit code and retry advice are tables keyed by the code, so a
 * new code is one line here. Expected outcomes (a conflict, a red run) are results, not errors.
 */

const CODES = {
  internal: { exit: 1, status: 500 },
  git_failed: { exit: 1, status: 500 },
  git_too_old: { exit: 1, status: 500 },
  newer_schema: { exit: 1, status: 500 },
  read_only: { exit: 1, status: 500 },
  command_failed: { exit: 1, status: 500 },
  usage: { exit: 2, status: 400 },
  invalid: { exit: 2, status: 400 },
  not_configured: { exit: 2, status: 400 },
  not_found: { exit: 3, status: 404 },
  ambiguous: { exit: 3, status: 404 },
  not_a_repository: { exit: 3, status: 404 },
  not_initialised: { exit: 3, status: 404 },
  unauthenticated: { exit: 4, status: 401 },
  not_allowed: { exit: 4, status: 403 },
  untrusted_command: { exit: 4, status: 403 },
  conflict: { exit: 5, status: 409 },
  already_exists: { exit: 5, status: 409 },
  claim_taken: { exit: 5, status: 409 },
  claim_lost: { exit: 5, status: 409 },
  stale: { exit: 5, status: 412 },
  busy: { exit: 5, status: 409 },
  wrong_branch: { exit: 5, status: 409 },
  worktree_dirty: { exit: 5, status: 409 },
  lost_work: { exit: 5, status: 409 },
  gate_not_met: { exit: 6, status: 422 },
  wrong_state: { exit: 6, status: 422 },
  unborn_branch: { exit: 6, status: 422 },
  shallow_clone: { exit: 6, status: 422 },
  target_checked_out: { exit: 6, status: 422 },
  baseline_red: { exit: 6, status: 422 },
  unlanded_work: { exit: 6, status: 422 },
  unavailable: { exit: 7, status: 503 },
  limited: { exit: 8, status: 429 },
  too_large: { exit: 8, status: 413 },
  timed_out: { exit: 8, status: 504 },
  interrupted: { exit: 130, status: 503 },
} as const satisfies Record<string, { exit: number; status: number }>;

export type ErrorCode = keyof typeof CODES;

export const errorCodes = Object.keys(CODES) as ErrorCode[];

/** The process exit code of an error (the table in the CLI contract). */
export function exitCodeOf(code: ErrorCode): number {
  return CODES[code].exit;
}

/** The HTTP status of an error. */
export function httpStatusOf(code: ErrorCode): number {
  return CODES[code].status;
}

/** True where the same call may succeed later without anyone changing anything. */
export function isRetryable(code: ErrorCode): boolean {
  return code === 'busy' || code === 'unavailable' || code === 'limited' || code === 'timed_out';
}

export interface ErrorOptions {
  /** What to do about it, as a command where there is one. */
  fix?: string | undefined;
  details?: Record<string, unknown> | undefined;
  cause?: unknown;
}

/** Every failure a caller is meant to see. The message says what was tried, with what value. */
export class SwarmError extends Error {
  readonly code: ErrorCode;
  readonly fix: string | undefined;
  readonly details: Record<string, unknown> | undefined;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = 'SwarmError';
    this.code = code;
    this.fix = options.fix;
    this.details = options.details;
  }
}

export function isSwarmError(error: unknown, code?: ErrorCode): error is SwarmError {
  return error instanceof SwarmError && (code === undefined || error.code === code);
}
