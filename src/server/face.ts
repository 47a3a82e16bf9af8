import type { ServerApp } from '../app/open-server.ts';

export const PREFIX = '/api/v1';

/** What every part of the HTTP face works with. */
export interface Face {
  server: ServerApp;
  /** Says that something may have been written: whoever follows the log looks at once. */
  wake(): void;
  /** How many follow the log now. */
  followers(): number;
}
