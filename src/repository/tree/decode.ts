import { HoldfastError, messageOf } from '../../kernel/index.ts'
import { goUnquote } from './go-quote.ts'
import type { ExtendedAttribute, NodeType, TreeNode } from './node.ts'
import { treePieces } from './pieces.ts'
import { parseTime, zeroTime, type Nanoseconds } from './time.ts'

const types: ReadonlySet<string> = new Set(['file', 'dir', 'symlink', 'dev', 'chardev', 'fifo', 'socket', 'irregular'])
/** Of a name, in messages: what is not readable may be of any length. */
const shownOfName = 300
const hexId = /^[0-9a-f]{64}$/
/** A number outside a double's exact integers may stand there; digits within a name only cost the slower way. */
const longNumber = /:\d{16,}/

const maxU64 = 2n ** 64n - 1n

type Fields = Readonly<Record<string, unknown>>

/**
 * The nodes of a tree, in its order. Names are untrusted (isSafeNodeName). Throws `object-damaged`, naming the tree and the node, for
 * what no restic would write; `first` is the number of the first one there.
 */
export function decodeTree(bytes: Uint8Array, what: string, first = 0): TreeNode[] {
  const nodes: TreeNode[] = []
  for (const piece of treePieces(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)))
    for (const node of decodePiece(piece, what, first + nodes.length)) nodes.push(node)
  return nodes
}

/** `first` is the number of its first node. */
function decodePiece(bytes: Buffer, what: string, first: number): TreeNode[] {
  const text = bytes.toString('utf8')
  let parsed: unknown
  try {
    parsed = longNumber.test(text) ? parseLosslessly(text) : JSON.parse(text)
  } catch (error) {
    throw malformed(what, `it is not JSON: ${messageOf(error)}`)
  }
  const nodes = isFields(parsed) ? parsed.nodes : undefined
  // Old versions wrote null for no nodes.
  if (nodes === null) return []
  if (!Array.isArray(nodes)) throw malformed(what, 'it has no list of nodes')
  return nodes.map((node, index) => {
    const at = first + index
    if (!isFields(node)) throw malformed(what, `node ${at} is not an object`)
    const name = isText(node.name) ? JSON.stringify(node.name.slice(0, shownOfName)) : 'without a name'
    return decodeNode(node, (why) => malformed(what, `node ${at} (${name}) ${why}`))
  })
}

type LosslessReviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown
// TypeScript's own types do not know yet that a reviver sees the text of a number, and that one can be written as text.
const parseWithSource = JSON.parse as (text: string, reviver: LosslessReviver) => unknown

const { rawJSON: rawJson } = JSON as unknown as { readonly rawJSON: (text: string) => unknown }

/** Integers that a double cannot hold come as bigint. */
function parseLosslessly(text: string): unknown {
  return parseWithSource(text, (_key, value, { source = '' }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? BigInt(source) : value,
  )
}

function decodeNode(fields: Fields, malformed: (why: string) => HoldfastError): TreeNode {
  const { name, type, user, group, linktarget, linktarget_raw: rawTarget, content, subtree, error } = fields
  const nameBytes = typeof name === 'string' ? goUnquote(name) : undefined
  if (nameBytes === undefined) throw malformed('has no readable name')
  if (typeof type !== 'string' || !types.has(type))
    throw malformed(isText(type) ? `has the unknown type ${type.slice(0, shownOfName)}` : 'has no type')
  const time = (key: string): Nanoseconds => {
    const value = fields[key]
    if (value === undefined) return zeroTime
    const parsed = typeof value === 'string' ? parseTime(value) : undefined
    if (parsed === undefined) throw malformed(`has no readable ${key}`)
    return parsed
  }
  const u64 = (key: string): bigint | undefined => {
    const value = fields[key]
    if (value === undefined || value === 0) return undefined
    const isInteger = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))
    if (!isInteger || value < 0 || value > maxU64) throw malformed(`has no readable ${key}`)
    return BigInt(value)
  }
  const ids = content ?? null
  if (ids !== null && !(Array.isArray(ids) && ids.every(isId))) throw malformed('has content that is not a list of ids')
  if (subtree !== undefined && subtree !== null && !isId(subtree)) throw malformed('has a subtree that is not an id')
  const generic = fields.generic_attributes
  const attributes = fields.extended_attributes
  return {
    name: nameBytes,
    type: type as NodeType,
    mode: Number(u64('mode') ?? 0),
    mtime: time('mtime'),
    atime: time('atime'),
    ctime: time('ctime'),
    uid: Number(u64('uid') ?? 0),
    gid: Number(u64('gid') ?? 0),
    ...present('user', isText(user) ? user : undefined),
    ...present('group', isText(group) ? group : undefined),
    ...present('inode', u64('inode')),
    ...present('deviceId', u64('device_id')),
    ...present('size', u64('size')),
    ...present('links', u64('links')),
    ...present(
      'linkTarget',
      isText(rawTarget) ? Buffer.from(rawTarget, 'base64') : isText(linktarget) ? Buffer.from(linktarget) : undefined,
    ),
    ...present(
      'extendedAttributes',
      Array.isArray(attributes) ? attributes.map((item) => decodeAttribute(item, malformed)) : undefined,
    ),
    ...present('genericAttributes', isFields(generic) ? textOf(generic, malformed) : undefined),
    ...present('device', u64('device')),
    content: ids,
    ...present('subtree', isId(subtree) ? subtree : undefined),
    ...present('error', isText(error) ? error : undefined),
  }
}

function decodeAttribute(item: unknown, malformed: (why: string) => HoldfastError): ExtendedAttribute {
  if (!isFields(item) || typeof item.name !== 'string') throw malformed('has an unreadable extended attribute')
  const { name, value } = item
  if (value !== undefined && value !== null && typeof value !== 'string')
    throw malformed(`has no readable value of the attribute ${name}`)
  return { name, value: Buffer.from(value ?? '', 'base64') }
}

/** JSON again. It may be nested so deeply that there are no words for it. */
function textOf(generic: Fields, malformed: (why: string) => HoldfastError): string {
  try {
    return JSON.stringify(generic, (_key, value: unknown) => (typeof value === 'bigint' ? rawJson(value.toString()) : value))
  } catch (error) {
    throw malformed(`has unreadable generic attributes: ${messageOf(error)}`)
  }
}

/** The member, or nothing at all: an optional property must not be there with the value undefined. */
function present<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]?: Value })
}

function malformed(what: string, why: string): HoldfastError {
  return new HoldfastError('object-damaged', { message: `${what} is not readable: ${why}`, details: { what } })
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && hexId.test(value)
}
