import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { Oid } from '../contract/common.ts';
import { SwarmError } from '../contract/errors.ts';
import { FileMode } from '../contract/hosted-files.ts';
import { asText } from '../workflows/hosted/conflict-report.ts';
import { type Expected, readStagedFile, stageFile, stagePatch } from '../workflows/hosted/staged-files.ts';
import { type Face, PREFIX } from './face.ts';
import { cloneOfStream } from './hosted-call.ts';
import { rawCall } from './sender.ts';

const LARGEST_BODY = 24 * 1024 * 1024;

const FileBody = z.object({
  path: z.string().optional(),
  content: z.string(),
  encoding: z.enum(['utf8', 'base64']).default('utf8'),
  mode: FileMode.optional(),
});

const PatchBody = z.object({ patch: z.string(), head: Oid.optional() });

type FileRequest = FastifyRequest<{ Params: { stream: string; '*'?: string } }>;

/** Files of a stream, bytes in and bytes out. What is written waits until it is committed. */
export async function addFileRoutes(app: FastifyInstance, face: Face): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    const url = `${PREFIX}/streams/:stream/files`;
    const options = { bodyLimit: LARGEST_BODY };
    scope.get(`${url}/*`, (request: FileRequest, reply) => read(face, request, reply));
    scope.put(`${url}/*`, options, (request: FileRequest, reply) => write(face, request, reply));
    scope.put(url, options, (request: FileRequest, reply) => write(face, request, reply));
    const patchUrl = `${PREFIX}/streams/:stream/patch`;
    scope.post(patchUrl, options, (request: FileRequest, reply) => patch(face, request, reply));
    scope.delete(`${url}/*`, (request: FileRequest, reply) => remove(face, request, reply));
  });
}

async function read(face: Face, request: FileRequest, reply: FastifyReply): Promise<unknown> {
  const { stream, workflow } = await cloneOfStream(await rawCall(face, request), request.params.stream);
  const { oid, mode, content } = await readStagedFile(workflow, stream, pathOf(request));
  reply.header('etag', `"${oid}"`).header('x-file-mode', mode);
  if (tagsOf(request.headers['if-none-match']).includes(oid)) return reply.code(304).send();
  if (/\bapplication\/json\b/.test(request.headers.accept ?? ''))
    return { path: pathOf(request), mode, oid, ...asText(content) };
  // Content of a repository is never a page: a browser shows or saves it, and runs nothing.
  const isText = asText(content).encoding === 'utf8';
  reply.header('content-disposition', 'attachment');
  return reply.type(isText ? 'text/plain; charset=utf-8' : 'application/octet-stream').send(content);
}

async function write(face: Face, request: FileRequest, reply: FastifyReply): Promise<unknown> {
  const file = fileOf(request);
  const { stream } = await cloneAndRights(face, request);
  const { entry, created } = await stageFile(stream.workflow, {
    stream: stream.id,
    write: file,
    expected: expectedOf(request),
  });
  reply.code(created ? 201 : 200).header('etag', `"${entry?.oid}"`);
  return { path: file.path, oid: entry?.oid, mode: entry?.mode };
}

async function remove(face: Face, request: FileRequest, reply: FastifyReply): Promise<unknown> {
  const path = pathOf(request);
  const { stream } = await cloneAndRights(face, request);
  await stageFile(stream.workflow, {
    stream: stream.id,
    write: { path, content: null },
    expected: expectedOf(request),
  });
  return reply.code(200).send({ path, deleted: true });
}

/** A unified diff as the body, or as `patch` in JSON: staged as a whole, or refused with what does not fit. */
async function patch(face: Face, request: FileRequest, reply: FastifyReply): Promise<unknown> {
  const given = patchOf(request);
  const { stream } = await cloneAndRights(face, request);
  const expected = given.head ?? oidOf(expectedOf(request));
  const staged = await stagePatch(stream.workflow, { stream: stream.id, patch: given.patch, expected });
  if (staged.kind === 'unfit') {
    const names = staged.files.map((file) => ` ${file.path}`).slice(0, 5);
    throw new SwarmError('conflict', `The patch does not fit${names.join()}; nothing was changed.`, {
      fix: 'Read these files as they are now and make the patch anew.',
      details: { files: staged.files },
    });
  }
  reply.header('etag', `"${staged.tree}"`);
  return { streamId: stream.id, tree: staged.tree, files: staged.paths };
}

function patchOf(request: FileRequest): { patch: Buffer; head?: string | undefined } {
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (!isJson(request)) return { patch: bytes };
  const body = PatchBody.safeParse(jsonOf(bytes));
  if (body.success) return { patch: Buffer.from(body.data.patch, 'utf8'), head: body.data.head };
  throw new SwarmError('invalid', 'A patch in JSON is {"patch": "…", "head"?: "…"}.', {
    fix: 'Or send the diff itself: curl --data-binary @my.patch',
  });
}

function oidOf(expected: Expected): string | undefined {
  return expected?.kind === 'entry' ? expected.oid : undefined;
}

async function cloneAndRights(face: Face, request: FileRequest) {
  const { stream, workflow } = await cloneOfStream(await rawCall(face, request), request.params.stream);
  return { stream: { id: stream.id, workflow } };
}

function pathOf(request: FileRequest): string {
  return request.params['*'] ?? '';
}

function fileOf(request: FileRequest): {
  path: string;
  content: Buffer;
  mode?: '100644' | '100755' | undefined;
} {
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const mode = FileMode.optional().safeParse(request.headers['x-file-mode']);
  if (!mode.success) throw new SwarmError('invalid', 'X-File-Mode is 100644 or 100755.');
  if (!isJson(request)) return { path: pathOf(request), content: bytes, mode: mode.data };
  const body = FileBody.safeParse(jsonOf(bytes));
  if (!body.success)
    throw new SwarmError(
      'invalid',
      'A file in JSON is {"content": "…", "encoding": "utf8" | "base64", "mode"?: …}.',
      {
        fix: 'To store the JSON itself send it with "Content-Type: application/octet-stream".',
      },
    );
  const { path, content, encoding } = body.data;
  const decoded = Buffer.from(content, encoding);
  if (encoding === 'base64' && decoded.toString('base64').replace(/=+$/, '') !== content.replace(/=+$/, ''))
    throw new SwarmError('invalid', 'content is not valid base64.');
  return { path: pathOf(request) || (path ?? ''), content: decoded, mode: body.data.mode ?? mode.data };
}

function isJson(request: FileRequest): boolean {
  return /^application\/json\b/.test(request.headers['content-type'] ?? '');
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new SwarmError('invalid', 'The body of the request is not valid JSON.');
  }
}

/** `If-Match: "<id>"` or `*`, `If-None-Match: *`. */
function expectedOf(request: FileRequest): Expected {
  const match = request.headers['if-match'];
  if (match?.trim() === '*') return { kind: 'any' };
  const [oid, second] = tagsOf(match);
  if (second !== undefined || (match !== undefined && oid === undefined))
    throw new SwarmError('invalid', 'If-Match takes one ETag of this file, or *.');
  if (oid !== undefined) return { kind: 'entry', oid };
  return request.headers['if-none-match']?.trim() === '*' ? { kind: 'none' } : undefined;
}

function tagsOf(header: string | undefined): string[] {
  return [...(header ?? '').matchAll(/(?:W\/)?"([0-9a-f]{40,64})"/g)].map((match) => match[1] ?? '');
}
