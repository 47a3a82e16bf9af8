import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ask, type Endpoint, type InputOf, type OutputOf } from './api.ts';

/** Asks the server to do something; afterwards what is shown of the repository is asked for again. */
export function useWrite<E extends Endpoint>(scope: string, endpoint: E) {
  const client = useQueryClient();
  return useMutation<OutputOf<E>, Error, InputOf<E>>({
    mutationFn: (input) => ask(endpoint, input),
    // Also after a refusal: it often means that what is shown is old.
    onSettled: () => client.invalidateQueries({ queryKey: [scope] }),
  });
}
