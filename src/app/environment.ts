/** The only reader of process.env: everything that the surroundings decide, parsed once. */
export interface Environment {
  /** All variables, to be handed on to git and to commands after they were filtered there. */
  variables: Readonly<Record<string, string | undefined>>;
  /** `GITSWARM_AGENT`: who acts unless `--as` says otherwise. */
  agent: string | undefined;
  /** `GITSWARM_SESSION`: the token of an agent's session; within it only that agent acts. */
  session: string | undefined;
  /** `GITSWARM_TOKEN`: the key sent to the server instead of the one given with `connect`. */
  token: string | undefined;
  noColor: boolean;
  durable: boolean;
  /** `GITSWARM_CRASH_AT`: the name of a step at which the process kills itself; for tests of recovery. */
  crashAt: string | undefined;
}

export function readEnvironment(variables: NodeJS.ProcessEnv = process.env): Environment {
  return {
    variables,
    agent: filled(variables.GITSWARM_AGENT),
    session: filled(variables.GITSWARM_SESSION),
    token: filled(variables.GITSWARM_TOKEN),
    noColor: filled(variables.NO_COLOR) !== undefined,
    durable: variables.GITSWARM_DURABLE === '1',
    crashAt: filled(variables.GITSWARM_CRASH_AT),
  };
}

function filled(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}
