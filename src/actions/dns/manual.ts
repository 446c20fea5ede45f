import { quote } from '../../kernel/index.ts'
import type { Catalog, SecretRef } from '../../catalog/index.ts'
import { exportSecret } from '../shell-words.ts'
import { absolute, type RecordType } from '../../dns/index.ts'
import { parseServer } from './server.ts'

interface ManualUpdate {
  readonly server: string
  readonly zone: string
  readonly record: string
  readonly type: RecordType
  readonly values: readonly string[]
  readonly ttl: number
  readonly key: { readonly name: string; readonly algorithm: string; readonly secret: SecretRef }
}

const keyVariable = 'HOLDFAST_DNS_KEY'

/** How BIND's nsupdate and dig do the same. The secret goes to nsupdate's input: arguments are for everybody to see. */
export function manualUpdate(
  p: ManualUpdate,
  catalog: Catalog | undefined,
): { readonly update: string[]; readonly undo: string[] } {
  const { host, port } = parseServer(p.server) ?? { host: p.server, port: 53 }
  const name = absolute(p.record)
  const dig = `dig @${quote(host)} -p ${port} +norecurse +noall +answer ${quote(name)} ${p.type}`
  const secret = exportSecret(keyVariable, p.key.secret, catalog)
  const send = (lines: readonly string[]) => {
    const before = [`server ${host} ${port}`, `zone ${absolute(p.zone)}`].map((line) => quote(line))
    const key = `"key ${p.key.algorithm}:${p.key.name} $${keyVariable}"`
    return `printf '%s\\n' ${[...before, key, ...lines.map((line) => quote(line)), 'send'].join(' ')} | nsupdate -v`
  }
  const add = (value: string) => `update add ${name} ${p.ttl} ${p.type} ${zoneFileValue(p.type, value)}`
  const remove = `update delete ${name} ${p.type}`
  return {
    update: [
      `${dig}   # write down what it shows: it is what undoing restores`,
      secret,
      send([remove, ...p.values.map(add)]),
      `${dig}   # expect ${p.values.join(' and ')}`,
    ],
    undo: [
      secret,
      `${send([remove, `update add ${name} OLD_TTL ${p.type} OLD_VALUE`])}   # OLD_TTL, OLD_VALUE: as written down; leave that part out where there was none`,
      dig,
    ],
  }
}

function zoneFileValue(type: RecordType, value: string): string {
  if (type === 'CNAME') return absolute(value)
  if (type !== 'TXT') return value
  const bytes = Buffer.from(value)
  const parts = Array.from({ length: Math.max(1, Math.ceil(bytes.length / 255)) }, (_, index) =>
    bytes.subarray(255 * index, 255 * (index + 1)),
  )
  return parts.map((part) => `"${[...part].map(characterText).join('')}"`).join(' ')
}

function characterText(byte: number): string {
  const char = String.fromCharCode(byte)
  if (byte < 0x20 || byte > 0x7e) return `\\${String(byte).padStart(3, '0')}`
  return char === '"' || char === '\\' ? `\\${char}` : char
}
