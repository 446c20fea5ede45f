import { HoldfastError, parseDuration } from '../../../kernel/index.ts'
import type { WhatIf } from '../../../service/index.ts'

const keys: Readonly<Record<string, { readonly member: keyof WhatIf; readonly read: (text: string) => number }>> = {
  rto: { member: 'rtoMs', read: parseDuration },
  rpo: { member: 'rpoMs', read: parseDuration },
  outages: { member: 'outagesPerYear', read: notNegative },
  'downtime-cost': { member: 'downtimeCostPerHour', read: notNegative },
  'data-loss-cost': { member: 'dataLossCostPerHour', read: notNegative },
}

/** `rto=5m,outages=2`. Throws `usage`. */
export function parseWhatIf(texts: readonly string[]): WhatIf {
  const changes = texts.flatMap((text) => text.split(',')).map((change) => change.trim())
  const entries = changes.map((change) => {
    const [name = '', value = ''] = change.split(/=(.*)/s)
    const key = Object.hasOwn(keys, name) ? keys[name] : undefined
    if (key === undefined || value === '') {
      throw new HoldfastError('usage', {
        message: `'${change}' cannot be set`,
        hint: `write NAME=VALUE with one of ${Object.keys(keys).join(', ')}`,
      })
    }
    return [key.member, key.read(value)] as const
  })
  return Object.fromEntries(entries)
}

function notNegative(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value
  throw new HoldfastError('usage', { message: `'${text}' is not a number of zero or more` })
}
