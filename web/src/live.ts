import { type Query, type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { EventType, eventsUrl, SwarmEvent } from './api.ts';

export type Line = 'connecting' | 'live' | 'away';

/** Events that come close together are answered with one look at the server. */
const GATHER_MS = 250;
const LONGEST_WAIT_MS = 30_000;

/**
 * Follows the log of events as long as the page is in sight (browsers allow few connections to one server; what was
 * missed is told from the last place on), and has asked again for whatever something happened to.
 */
export function useFollowing(): Line {
  const client = useQueryClient();
  const [line, setLine] = useState<Line>('connecting');
  useEffect(() => follow(client, setLine), [client]);
  return line;
}

function follow(client: QueryClient, setLine: (line: Line) => void): () => void {
  const refresh = refresher(client);
  let source: EventSource | undefined;
  let cursor: string | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  let wait = 1000;

  const hear = (message: MessageEvent<string>) => {
    cursor = message.lastEventId;
    const event = SwarmEvent.safeParse(JSON.parse(message.data));
    if (event.success) refresh(event.data.repoId);
  };
  const close = () => {
    clearTimeout(again);
    source?.close();
    source = undefined;
  };
  const open = () => {
    close();
    const opened = new EventSource(eventsUrl(cursor));
    source = opened;
    opened.onopen = () => {
      wait = 1000;
      setLine('live');
      // Until the first event there is no place to go on from: what happened since the page asked is asked for again.
      const isOld = ({ queryKey, state }: Query) =>
        queryKey[0] !== 'me' && (cursor === undefined || state.status === 'error');
      void client.invalidateQueries({ predicate: isOld });
    };
    opened.onerror = () => {
      setLine('away');
      if (opened.readyState !== EventSource.CLOSED) return;
      // Refused: signed out, or the server is not ready. The browser does not try again by itself.
      void client.invalidateQueries({ queryKey: ['me'] });
      again = setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    };
    opened.addEventListener('end', () => void client.invalidateQueries({ queryKey: ['me'] }));
    for (const type of EventType.options) opened.addEventListener(type, hear);
  };
  const look = () => {
    if (document.visibilityState === 'hidden') close();
    else if (!source) open();
  };
  open();
  document.addEventListener('visibilitychange', look);
  return () => {
    document.removeEventListener('visibilitychange', look);
    close();
  };
}

function refresher(client: QueryClient): (repoId: string | null) => void {
  const scopes = new Set<string>();
  const ask = () => {
    for (const scope of scopes) void client.invalidateQueries({ queryKey: [scope] });
    scopes.clear();
  };
  return (repoId) => {
    if (scopes.size === 0) setTimeout(ask, GATHER_MS);
    scopes.add('server').add(repoId ?? 'server');
  };
}
