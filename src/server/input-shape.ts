import * as z from 'zod';
import type { Endpoint } from '../contract/endpoint.ts';

/** The parts of JSON Schema that say which names an input has and of what type they are. */
export interface JsonShape {
  type?: string;
  properties?: Record<string, JsonShape>;
  items?: JsonShape;
  anyOf?: JsonShape[];
  allOf?: JsonShape[];
  oneOf?: JsonShape[];
  $ref?: string;
  $defs?: Record<string, JsonShape>;
}

const shapes = new WeakMap<Endpoint, JsonShape>();

/** What an endpoint takes, as JSON Schema; made once. */
export function shapeOf(endpoint: Endpoint): JsonShape {
  let shape = shapes.get(endpoint);
  if (!shape) {
    shape = z.toJSONSchema(endpoint.input, { io: 'input', unrepresentable: 'any' }) as JsonShape;
    shapes.set(endpoint, shape);
  }
  return shape;
}

/** Words other than those of the contract that documents and older clients use. */
const OTHER_NAMES = new Map([
  ['parentStreamId', ['parent']],
  ['dependsOn', ['parent']],
  ['streamId', ['id']],
]);

/**
 * The same value with the names its shape uses: `task_id`, `taskId` and `task` all say `task`. Where a shape knows no
 * names (settings, files by path) they are content and stay as they are.
 */
export function withOurNames(value: unknown, shape: JsonShape, root = shape): unknown {
  const { items, properties } = namesIn(shape, root);
  if (Array.isArray(value)) {
    return items ? value.map((each) => withOurNames(each, items, root)) : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  const renamed: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const name = ourName(key, properties) ?? key;
    // The name itself wins over another word for it.
    if (name !== key && Object.hasOwn(value, name)) continue;
    define(renamed, name, properties[name] ? withOurNames(inner, properties[name], root) : inner);
  }
  return renamed;
}

/** The name in `properties` that a caller's word means. */
export function ourName(key: string, properties: Record<string, unknown>): string | undefined {
  const camel = key.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const stem = camel.endsWith('Id') ? camel.slice(0, -2) : undefined;
  const words = [key, camel, snake, ...(stem ? [stem] : []), ...(OTHER_NAMES.get(camel) ?? [])];
  return words.find((word) => Object.hasOwn(properties, word));
}

/** Values of a query string as the types their names have; what does not fit stays text, and is refused by the schema. */
export function fromQuery(query: Record<string, unknown>, shape: JsonShape): Record<string, unknown> {
  const typed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(query)) {
    const { properties = {} } = shape;
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    define(typed, name, property ? typedValue(value, variantsOf(property, shape)) : value);
  }
  return typed;
}

function typedValue(value: unknown, variants: JsonShape[]): unknown {
  const types = new Set(variants.map((each) => each.type));
  if (types.has('array'))
    return (Array.isArray(value) ? value : [value]).flatMap((each) => String(each).split(','));
  if (typeof value !== 'string') return value;
  if ((types.has('integer') || types.has('number')) && /^-?\d{1,15}(\.\d+)?$/.test(value))
    return Number(value);
  if (types.has('boolean') && /^(true|false|1|0)$/.test(value)) return value === 'true' || value === '1';
  return value;
}

interface Names {
  /** Of the items, where the value may be a list. */
  items: JsonShape | undefined;
  properties: Record<string, JsonShape>;
}

/** A shape says the same of every request, so it is asked once. */
const namesOf = new WeakMap<JsonShape, Names>();

function namesIn(shape: JsonShape, root: JsonShape): Names {
  const known = namesOf.get(shape);
  if (known) return known;
  const variants = variantsOf(shape, root);
  const names = {
    items: variants.find((each) => each.items)?.items,
    properties: Object.assign(Object.create(null), ...variants.map((each) => each.properties ?? {})),
  };
  namesOf.set(shape, names);
  return names;
}

function variantsOf(shape: JsonShape, root: JsonShape, depth = 0): JsonShape[] {
  if (depth > 8) return [];
  const target = shape.$ref ? root.$defs?.[shape.$ref.replace('#/$defs/', '')] : undefined;
  const inner = [
    ...(shape.anyOf ?? []),
    ...(shape.oneOf ?? []),
    ...(shape.allOf ?? []),
    ...(target ? [target] : []),
  ];
  return [shape, ...inner.flatMap((each) => variantsOf(each, root, depth + 1))];
}

/** `__proto__` is a name like any other. */
function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
}
