import type { Client } from 'pg';

/** The name under which servers on one PostgreSQL tell each other that there are new events. */
export const EVENT_CHANNEL = 'gitswarm_events';

const AGAIN_AFTER_MS = 2000;

/**
 * Calls `heard` whenever anybody has written events to a PostgreSQL, and whenever it may have missed that. Connects
 * again by itself; without it a follower only looks less often.
 */
export function hearOfEvents(url: string, heard: () => void): { close(): Promise<void> } {
  let client: Client | undefined;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  const connect = async () => {
    const { default: pg } = await import('pg');
    if (isClosed) return;
    const made = new pg.Client({
      connectionString: url,
      application_name: 'gitswarm events',
      keepAlive: true,
    });
    client = made;
    made.on('error', () => undefined);
    made.on('notification', heard);
    made.on('end', retry);
    await made.connect();
    await made.query(`listen ${EVENT_CHANNEL}`);
    heard();
  };
  const retry = () => {
    if (isClosed || timer) return;
    timer = setTimeout(() => {
      timer = undefined;
      connect().catch(retry);
    }, AGAIN_AFTER_MS);
    timer.unref();
  };
  connect().catch(retry);
  return {
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await client?.end().catch(() => undefined);
    },
  };
}
