import { HoldfastError } from '../kernel/index.ts'

/** Whether a text can stand for one object in a path, by the rule of the API server (apimachinery, IsValidPathSegmentName). */
export function isPathSegment(text: string): boolean {
  return text !== '' && text !== '.' && text !== '..' && !/[/%]/.test(text)
}

/**
 * A path of the API server: `/apis/apps/v1`, then `namespaces`, `shop`, `deployments`, `web`. Throws `usage` for a part that would lead elsewhere: a URL
 * drops the empty text and resolves `..`, and what was to delete one object deleted all of its kind, or the namespace.
 */
export function apiPath(root: string, ...parts: readonly string[]): string {
  const wrong = parts.find((part) => !isPathSegment(part))
  if (wrong === undefined) return [root, ...parts.map(encodeURIComponent)].join('/')
  throw new HoldfastError('usage', {
    message: `'${wrong}' is no name of an object: nothing is asked of ${[root, ...parts].join('/')}`,
    hint: 'name the object, and its namespace',
  })
}
