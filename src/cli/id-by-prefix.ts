import { HoldfastError, shortId } from '../kernel/index.ts'

/** The one id that begins so. `what` is the kind of object, for messages. Throws `not-found`, and `usage` when there are several. */
export function idByPrefix(ids: readonly string[], prefix: string, what: string): string {
  const found = /^[0-9a-f]+$/.test(prefix) ? ids.filter((id) => id.startsWith(prefix)) : []
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  if (only === undefined)
    throw new HoldfastError('not-found', { message: `there is no ${what} '${prefix}'`, hint: 'give the beginning of its id' })
  throw new HoldfastError('usage', {
    message: `'${prefix}' could be ${found.length} of them: ${found.slice(0, 5).map(shortId).join(', ')}`,
    hint: 'give more digits of the id',
  })
}
