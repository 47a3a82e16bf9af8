import type { Clock } from '../base/clock.ts';
import type { Repo } from '../contract/repos.ts';
import type { Connection } from '../machine/connection.ts';
import type { Authority } from '../operations/authority.ts';
import type { Flushed } from '../sync/flush-outbox.ts';
import type { Updates } from '../sync/look-at-updates.ts';
import type { Environment } from './environment.ts';

export interface OpenOptions {
  dir: string;
  environment: Environment;
  clock?: Clock;
  longLived?: boolean;
  /** Only looks, and leaves no trace: not even the files that SQLite makes beside a database it reads. */
  untouched?: boolean;
  /** No server is asked. */
  offline?: boolean;
  /** Remarks for whoever sits here: an answer is an older one, something that waited was sent. */
  tell?: (text: string) => void;
}

/** Whoever decides, opened, with the repository as it is there. */
export interface Decided {
  authority: Authority;
  repo: Repo;
  /** The server it is decided by, and as whom it is asked. */
  connection?: Connection;
  server?: ServerSide;
  close(): Promise<void>;
}

/** What is done with the server besides asking it. */
export interface ServerSide {
  /** Sends what waits in the outbox. Answers for everything that was sent since this was opened. */
  flush(): Promise<Flushed>;
  /** What has happened there since the last look. */
  look(): Promise<Updates>;
}
