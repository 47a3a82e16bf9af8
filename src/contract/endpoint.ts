import type * as z from 'zod';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * One thing an actor may ask for: its name, its input and output, and its address on the HTTP face. The route, the
 * CLI call, the MCP tool, the outbox entry, the batch item and the audit record are all made from it.
 */
export interface Endpoint<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  name: string;
  method: Method;
  path: string;
  input: I;
  output: O;
  /** Internal endpoints rest on facts that only a workflow can measure: they get no route and no tool of their own. */
  internal: boolean;
}

export type InputOf<E extends Endpoint> = z.input<E['input']>;
export type OutputOf<E extends Endpoint> = z.output<E['output']>;

export function endpoint<I extends z.ZodType, O extends z.ZodType>(definition: {
  name: string;
  method: Method;
  path: string;
  input: I;
  output: O;
  internal?: boolean;
}): Endpoint<I, O> {
  return { internal: false, ...definition };
}
