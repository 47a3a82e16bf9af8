import { isRetryable, type SwarmError } from '../../contract/errors.ts';

/** The one JSON document of a command that did what it was asked. */
export function resultEnvelope(data: unknown): string {
  return `${safeJson({ ok: true, data: data ?? null })}\n`;
}

/** The one JSON document of a command that could not. */
export function errorEnvelope(error: SwarmError): string {
  const { code, message, fix, details } = error;
  const retryable = isRetryable(code) || undefined;
  const document = (more: Record<string, unknown>) =>
    `${safeJson({ ok: false, error: { code, message, fix, retryable, ...more } })}\n`;
  try {
    // The exit code says that something was away, and not whether the call is kept for later: an error never is.
    return document({ details: code === 'unavailable' ? { kept: null, ...details } : details });
  } catch {
    return document({}); // details that are no JSON must not hide the error itself
  }
}

/** JSON leaves DEL and the C1 controls as they are, and some terminals obey them. */
function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
