import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { endpoints } from '../contract/api.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import { hostedRoutes } from './hosted-routes.ts';

interface Shape {
  properties?: Record<string, object>;
  required?: string[];
  anyOf?: object[];
}

const MADE_BY_THE_SERVER = 'a workflow records a clone it has made; a client asks the server to make one';
const NOT_THE_SAME: Record<string, Partial<Record<'address' | 'input' | 'output', string>>> = {
  'repo.create': { address: MADE_BY_THE_SERVER, input: MADE_BY_THE_SERVER },
  'stabilization.record': {
    output: 'it says `promote` for `mayPromote`, and what a run at the server came to',
  },
  'promotion.record': {
    output: 'the promotion is a part of it: at the server the target may not have moved',
  },
};

const plainly = new Map(endpoints.map((each) => [each.name, each]));
const pairs = [...hostedRoutes.values()].flatMap(({ endpoint: hosted }) => {
  const plain = plainly.get(hosted.name);
  return plain && plain !== hosted ? [{ name: hosted.name, plain, hosted }] : [];
});

const shapeOf = (type: z.ZodType, io: 'input' | 'output') =>
  z.toJSONSchema(type, { io, unrepresentable: 'any' }) as Shape;
const inputOf = ({ input }: Endpoint) => shapeOf(input, 'input');
const outputOf = ({ output }: Endpoint) => shapeOf(output, 'output');

/** What a value may be; what it is when it is left out does not matter. */
function values(shape: Shape | undefined): string[] {
  if (shape === undefined) return [];
  const { default: _, description: __, anyOf, ...rest } = shape as Shape & Record<string, unknown>;
  return anyOf ? anyOf.flatMap((each) => values(each)) : [JSON.stringify(rest)];
}

/** The properties of `narrow` that `wide` does not have, or not with all their values. */
function missing(narrow: Shape, wide: Shape): string[] {
  return Object.entries(narrow.properties ?? {})
    .filter(([name, shape]) => {
      const taken = values(wide.properties?.[name]);
      return !values(shape).every((value) => taken.includes(value));
    })
    .map(([name]) => name);
}

it('knows of each exception that it is one', () => {
  expect(pairs.length).toBeGreaterThan(8);
  expect(Object.keys(NOT_THE_SAME).filter((name) => !pairs.some((pair) => pair.name === name))).toEqual([]);
});

describe.each(pairs)('the route $name is what a workflow calls by that name', ({ name, plain, hosted }) => {
  const excepted = NOT_THE_SAME[name] ?? {};

  if (!excepted.address)
    it('at the same address', () => {
      expect([hosted.method, hosted.path, hosted.isRead]).toEqual([plain.method, plain.path, plain.isRead]);
    });

  if (!excepted.input)
    it('takes all that it takes, and asks for no more', () => {
      expect(missing(inputOf(plain), inputOf(hosted))).toEqual([]);
      const needed = inputOf(plain).required ?? [];
      expect((inputOf(hosted).required ?? []).filter((each) => !needed.includes(each))).toEqual([]);
    });

  if (!excepted.output)
    it('answers all that it answers', () => {
      expect(missing(outputOf(plain), outputOf(hosted))).toEqual([]);
      const told = outputOf(hosted).required ?? [];
      expect((outputOf(plain).required ?? []).filter((each) => !told.includes(each))).toEqual([]);
    });
});
