import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Cast, untilBothHaveBegun } from './cast.ts';

const PACKAGE = '@fastify/forwarded';
const PARTS = ['index.js', 'test', 'README.md', 'LICENSE'];

/** A small library that is published with its own tests: it reads the X-Forwarded-For header of a request. */
export function copyLibrary(into: string): { version: string } {
  const manifest = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  mkdirSync(into, { recursive: true });
  for (const part of PARTS) cpSync(join(dirname(manifest), part), join(into, part), { recursive: true });
  return { version };
}

const LAST_LINE = 'module.exports.forwarded = forwarded';

const HOPS = `module.exports.hops = hops

/**
 * How many proxies a request has passed.
 */
function hops (req) {
  return forwarded(req).length - 1
}
`;

const CLIENT = `module.exports.client = client

/**
 * The address furthest away: that of the client, if every proxy can be trusted.
 */
function client (req) {
  return forwarded(req).at(-1)
}
`;

function testOf(name: string, title: string, expected: string): string {
  return `'use strict'

const test = require('node:test')
const { ${name} } = require('..')

test('${title}', function (t) {
  const req = { socket: { remoteAddress: '10.0.0.1' }, headers: { 'x-forwarded-for': '192.0.2.7, 10.0.0.2' } }
  t.assert.deepStrictEqual(${name}(req), ${expected})
})
`;
}

const hopsTest = { path: 'test/hops.js', content: testOf('hops', 'counts the proxies', '2') };
const clientTest = { path: 'test/client.js', content: testOf('client', 'finds the client', "'192.0.2.7'") };

export function publishedCast(dir: string, version: string): Cast {
  const source = readFileSync(join(dir, 'index.js'), 'utf8');
  const add = (text: string) => ({
    replace: { path: 'index.js', find: `${LAST_LINE}\n`, with: `${LAST_LINE}\n${text}` },
  });
  const both = source.replace(`${LAST_LINE}\n`, `${LAST_LINE}\n${HOPS}\n${CLIENT}`);
  const resolved = [{ steps: [{ write: { path: 'index.js', content: both } }] }];
  return {
    about: `${PACKAGE} ${version}, a published library with its own tests`,
    tests: 'node --test',
    clash: [
      {
        title: 'Count the proxies of a request',
        scripts: [{ steps: [untilBothHaveBegun, add(HOPS), { write: hopsTest }] }, ...resolved],
      },
      {
        title: 'Find the address of the client',
        scripts: [{ steps: [untilBothHaveBegun, add(CLIENT), { write: clientTest }] }, ...resolved],
      },
    ],
    parent: {
      title: 'Say whether a request came directly',
      first: {
        says: 'writes direct.js',
        steps: [{ write: { path: 'direct.js', content: DIRECT } }],
      },
      later: {
        says: 'changes direct.js: a request without a socket is refused',
        steps: [
          {
            replace: {
              path: 'direct.js',
              find: '  return',
              with: "  if (!req.socket) throw new TypeError('no socket')\n  return",
            },
          },
        ],
      },
    },
    child: {
      title: 'Test what came directly',
      edit: {
        says: 'writes test/direct.js, which needs direct.js',
        steps: [{ write: { path: 'test/direct.js', content: DIRECT_TEST } }],
      },
    },
    broken: {
      title: 'Name the end of the header in the parser',
      edit: {
        says: 'changes the loop in index.js, and stops one character too early',
        steps: [
          {
            replace: {
              path: 'index.js',
              find: '  for (i = end - 1; i >= 0; --i) {',
              with: '  const last = end - 1\n  for (i = last; i > 0; --i) {',
            },
          },
        ],
      },
      mend: {
        says: 'lets the loop in index.js reach the first character',
        steps: [{ replace: { path: 'index.js', find: 'i = last; i > 0', with: 'i = last; i >= 0' } }],
      },
    },
  };
}

const DIRECT = `'use strict'

const forwarded = require('./index.js')

/**
 * Whether no proxy stands between the client and us.
 */
module.exports = function direct (req) {
  return forwarded(req).length === 1
}
`;

const DIRECT_TEST = `'use strict'

const test = require('node:test')
const direct = require('../direct.js')

test('a request without the header came directly', function (t) {
  t.assert.strictEqual(direct({ socket: { remoteAddress: '192.0.2.7' }, headers: {} }), true)
})
`;
