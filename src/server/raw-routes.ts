type Json = Record<string, unknown>;

const id = (name: string) => ({ name, in: 'path', required: true, schema: { type: 'string' } });
const header = (name: string, description: string) => ({
  name,
  in: 'header',
  required: false,
  schema: { type: 'string' },
  description,
});
const bytes = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };
const ERRORS = {
  default: {
    description: 'An error.',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
  },
};
const json = (properties: Json, required: string[] = Object.keys(properties)) => ({
  'application/json': { schema: { type: 'object', properties, required } },
});
const text = { type: 'string' };
const flag = { type: 'boolean' };
const list = (items: Json) => ({ type: 'array', items });

const FILE = [
  id('stream'),
  { ...id('path'), description: 'The path in the repository, slashes as they are.' },
];
const MATCH = header('If-Match', 'The ETag of the file, or *.');
const WRITTEN = { path: text, oid: text, mode: { enum: ['100644', '100755'] } };

/** The routes that take or give bytes, for the description of all routes: they are made from no endpoint. */
export const rawRoutes: Json = {
  '/streams/{stream}/files/{path}': {
    get: {
      operationId: 'file.read',
      tags: ['file'],
      parameters: FILE,
      responses: { 200: { description: 'Its bytes; ETag and X-File-Mode.', content: bytes }, ...ERRORS },
    },
    put: {
      operationId: 'file.write',
      tags: ['file'],
      parameters: [...FILE, MATCH, header('X-File-Mode', '100644 or 100755.')],
      requestBody: {
        required: true,
        content: {
          ...bytes,
          ...json({ content: text, encoding: { enum: ['utf8', 'base64'] } }, ['content']),
        },
      },
      responses: { 200: { description: 'Staged.', content: json(WRITTEN) }, ...ERRORS },
    },
    delete: {
      operationId: 'file.delete',
      tags: ['file'],
      parameters: [...FILE, MATCH],
      responses: { 200: { description: 'Staged.', content: json({ path: text, deleted: flag }) }, ...ERRORS },
    },
  },
  '/streams/{stream}/patch': {
    post: {
      operationId: 'file.patch',
      tags: ['file'],
      parameters: [
        id('stream'),
        header('If-Match', 'The head of the stream, or the ETag of the last patch.'),
      ],
      requestBody: {
        required: true,
        content: { 'text/x-diff': { schema: text }, ...json({ patch: text, head: text }, ['patch']) },
      },
      responses: {
        200: { description: 'Staged.', content: json({ streamId: text, tree: text, files: list(text) }) },
        ...ERRORS,
      },
    },
  },
  '/repos/{repoId}/bundle': {
    post: {
      operationId: 'repo.upload',
      tags: ['repo'],
      parameters: [id('repoId')],
      requestBody: { required: true, content: bytes },
      responses: {
        200: {
          description: 'Taken.',
          content: json({ moved: list({ type: 'object' }), ignored: list(text) }),
        },
        ...ERRORS,
      },
    },
  },
};
