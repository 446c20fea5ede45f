import type { Json } from '../../kernel/index.ts'
import type { CtkVariables } from './types.ts'

/** Python's string.Template: `$$`, `$name` and `${name}`. */
const placeholder = /\$(?:(\$)|([_a-z][_a-z0-9]*)|\{([_a-z][_a-z0-9]*)\})/gi

/**
 * Puts the values of variables where their names stand, the configuration first, then the secrets of every scope. A text that is only a
 * placeholder becomes the value itself, whatever its type; a name that is not known stays as it is.
 */
export function substitute(value: Json, variables: CtkVariables): Json {
  if (typeof value === 'string') return substituteText(value, variables)
  if (Array.isArray(value)) return value.map((item: Json) => substitute(item, variables))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, substitute(member, variables)]))
}

function substituteText(text: string, { configuration, secrets }: CtkVariables): Json {
  const find = (name: string): Json | undefined =>
    [configuration, ...Object.values(secrets)].find((scope) => Object.hasOwn(scope, name))?.[name]
  const [only] = text.matchAll(placeholder)
  if (only !== undefined && only[0] === text) {
    const found = find(only[2] ?? only[3] ?? '')
    if (found !== undefined) return found
  }
  return text.replaceAll(placeholder, (whole: string, dollar?: string, plain?: string, braced?: string) => {
    if (dollar !== undefined) return '$'
    const found = find(plain ?? braced ?? '')
    return found === undefined ? whole : pythonText(found)
  })
}

/** As Python's str() writes it. */
export function pythonText(value: Json): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
