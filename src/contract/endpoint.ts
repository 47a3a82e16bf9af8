import type * as z from 'zod';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * One thing an actor may ask for: its name, its input and output, and its address on the HTTP face. The route, the
 * CLI call, the MCP tool, the outbox entry, the batch item and the audit record are all made from it.
 */
export interface Endpoint<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly method: Method;
  readonly path: string;
  readonly input: I;
  readonly output: O;
  /**
   * Internal endpoints rest on facts that only a workflow can measure: they get no route and no tool of their own. Those
   * of `clone` rest on what only whoever has the clone can measure: where the clients have it, a server takes their word.
   */
  readonly internal: boolean | 'clone';
  /** It changes nothing. A read whose input does not fit into an address is a POST. */
  readonly isRead: boolean;
}

export type InputOf<E extends Endpoint> = z.input<E['input']>;
export type OutputOf<E extends Endpoint> = z.output<E['output']>;

interface Definition<I extends z.ZodType, O extends z.ZodType> {
  method: Method;
  path: string;
  input: I;
  output: O;
  internal?: boolean | 'clone';
  isRead?: boolean;
}

/**
 * An endpoint under its name. Its schemas are made when they are first asked for: a command asks for three, and making
 * those of the whole contract would take longer than all it does.
 */
export function endpoint<I extends z.ZodType, O extends z.ZodType>(
  name: string,
  define: () => Definition<I, O>,
): Endpoint<I, O> {
  let made: Definition<I, O> | undefined;
  const definition = () => {
    made ??= define();
    return made;
  };
  return {
    name,
    get method() {
      return definition().method;
    },
    get path() {
      return definition().path;
    },
    get input() {
      return definition().input;
    },
    get output() {
      return definition().output;
    },
    get internal() {
      return definition().internal ?? false;
    },
    get isRead() {
      return definition().isRead ?? definition().method === 'GET';
    },
  };
}
