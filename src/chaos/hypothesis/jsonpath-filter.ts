import { canonicalJson, type HoldfastError, type Json } from '../../kernel/index.ts'

export type Filter = (value: Json) => boolean

type Operand = (value: Json) => { readonly value: Json } | undefined

const token =
  /\s*(?:(\(|\)|&&|\|\||==|!=|<=|>=|=|<|>|!)|('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(@(?:\.\.?[\p{L}_*][\p{L}\p{N}_-]*|\[[^\]]*\])*)|([A-Za-z]+))/uy

/**
 * The filter after `?`: comparisons of what stands below `@` with literals, joined by and, or and not. Throws what `wrong` gives.
 *
 * @param findBy reads the path of an operand, written from `$`
 */
export function parseFilter(
  text: string,
  findBy: (path: string) => (value: Json) => Json[],
  wrong: (reason: string) => HoldfastError,
): Filter {
  const tokens = tokensOf(text, wrong)
  let at = 0
  const take = (...texts: readonly string[]) => {
    const next = tokens[at]
    if (next === undefined || !texts.includes(next)) return undefined
    at++
    return next
  }
  const or = (): Filter => {
    const parts = [and()]
    while (take('||', 'or') !== undefined) parts.push(and())
    return (value) => parts.some((part) => part(value))
  }
  const and = (): Filter => {
    const parts = [not()]
    while (take('&&', 'and') !== undefined) parts.push(not())
    return (value) => parts.every((part) => part(value))
  }
  const not = (): Filter => {
    if (take('!', 'not') !== undefined) {
      const inner = not()
      return (value) => !inner(value)
    }
    if (take('(') === undefined) return comparison()
    const inner = or()
    if (take(')') === undefined) throw wrong('a parenthesis is not closed')
    return inner
  }
  const comparison = (): Filter => {
    const left = operand()
    const operator = take('==', '=', '!=', '<', '<=', '>', '>=')
    if (operator === undefined) return (value) => left(value) !== undefined
    const right = operand()
    return (value) => compare(left(value), operator, right(value))
  }
  const operand = (): Operand => {
    const next = tokens[at++]
    if (next === undefined) throw wrong('its filter ends too early')
    if (next.startsWith('@')) {
      const find = findBy(`$${next.slice(1)}`)
      return (value) => {
        const [found] = find(value)
        return found === undefined ? undefined : { value: found }
      }
    }
    const literal = literalOf(next)
    if (literal === undefined) throw wrong(`its filter has ${next}, which is no value`)
    return () => ({ value: literal })
  }
  const filter = or()
  if (at < tokens.length) throw wrong(`its filter has ${tokens[at]} where it should end`)
  return filter
}

function tokensOf(text: string, wrong: (reason: string) => HoldfastError): string[] {
  const tokens: string[] = []
  const whole = text.trimEnd()
  for (token.lastIndex = 0; token.lastIndex < whole.length;) {
    const from = token.lastIndex
    const found = token.exec(whole)
    if (found === null) throw wrong(`its filter cannot be read from ${whole.slice(from)}`)
    tokens.push(found[0].trim())
  }
  return tokens
}

function literalOf(text: string): Json | undefined {
  if (text.startsWith("'") || text.startsWith('"')) return text.slice(1, -1).replaceAll(/\\(.)/g, '$1')
  if (text === 'true' || text === 'false') return text === 'true'
  if (text === 'null') return null
  const number = Number(text)
  return Number.isNaN(number) ? undefined : number
}

function compare(left: ReturnType<Operand>, operator: string, right: ReturnType<Operand>): boolean {
  if (left === undefined || right === undefined) return operator === '!=' && left !== right
  const isSame = canonicalJson(left.value) === canonicalJson(right.value)
  if (operator === '==' || operator === '=') return isSame
  if (operator === '!=') return !isSame
  if (typeof left.value !== typeof right.value || (typeof left.value !== 'number' && typeof left.value !== 'string')) return false
  const [a, b] = [left.value, right.value as string | number]
  switch (operator) {
    case '<':
      return a < b
    case '<=':
      return a <= b
    case '>':
      return a > b
    default:
      return a >= b
  }
}
