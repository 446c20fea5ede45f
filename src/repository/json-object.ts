/** What a JSON text that should be an object says. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Throws what `damaged` makes of the reason, for anything that is no JSON object. */
export function parseJsonObject(bytes: Uint8Array, damaged: (why: string) => Error): JsonObject {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'))
  } catch {
    throw damaged('it is not JSON')
  }
  if (isJsonObject(parsed)) return parsed
  throw damaged('it is JSON, but no object')
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** For messages: what should not stand there may be of any length and depth. */
export function shownJson(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  return (JSON.stringify(value) ?? 'nothing').slice(0, 100)
}
