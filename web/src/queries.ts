import { QueryClient, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { ask, type Endpoint, type InputOf, type OutputOf, Refused, showMe } from './api.ts';

/** Answers stay fresh until the log of events says otherwise (live.ts), or somebody comes back to the page. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 60_000,
        retry: (count, error) => count < 2 && mayPass(error),
      },
    },
  });
}

/** True where the same question may be answered in a moment. */
function mayPass(error: Error): boolean {
  return error instanceof Refused && (error.status === 0 || error.status === 503);
}

/** What an endpoint answers. `scope` is the repository whose events make the answer old, or `server`. */
export function useAnswer<E extends Endpoint>(scope: string, endpoint: E, input: InputOf<E>) {
  return useQuery<OutputOf<E>>({
    queryKey: [scope, endpoint.name, input],
    queryFn: () => ask(endpoint, input),
  });
}

type ItemOf<E extends Endpoint> = OutputOf<E> extends { items: (infer T)[] } ? T : never;

/** A list of an endpoint, page by page. */
export function useList<E extends Endpoint>(scope: string, endpoint: E, input: InputOf<E>) {
  const query = useInfiniteQuery({
    queryKey: [scope, endpoint.name, 'pages', input],
    queryFn: async ({ pageParam }) => {
      const wish = { ...(input as object), ...(pageParam === null ? {} : { cursor: pageParam }) };
      return (await ask(endpoint, wish as InputOf<E>)) as { items: ItemOf<E>[]; nextCursor: string | null };
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
  });
  return { ...query, items: query.data?.pages.flatMap((page) => page.items) };
}

/** Who is signed in; null for nobody. */
export function useMe() {
  return useQuery({
    queryKey: ['me'],
    queryFn: async () => {
      try {
        return await ask(showMe, {});
      } catch (error) {
        if (error instanceof Refused && error.status === 401) return null;
        throw error;
      }
    },
  });
}
