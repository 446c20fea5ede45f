import { isUtf8 } from 'node:buffer'
import { HoldfastError } from '../../kernel/index.ts'
import { goJsonBytes, goJsonString } from './go-json.ts'
import { goQuote } from './go-quote.ts'
import { isSafeNodeName, type TreeNode } from './node.ts'
import { formatTime } from './time.ts'

/** Nodes whose text becomes bytes at once, and their characters: that of all may be longer than a string can be. */
const nodesAtOnce = 512
const charactersAtOnce = 1024 * 1024

/**
 * Makes the exact text of a tree, so that its id is the one restic would give it: nodes in byte order of their names, Go's field order,
 * quoting and escaping, a newline at the end. Gives it away in pieces as it is made.
 */
export class TreeEncoder {
  readonly #onPiece: (piece: Buffer) => void
  #texts: string[] = []
  #characters = 0
  #isBegun = false
  #previous: string | undefined

  constructor(onPiece: (piece: Buffer) => void) {
    this.#onPiece = onPiece
  }

  /** In the order of their names. Throws `internal` for a name that cannot be, that is there twice, or that is not next in order. */
  add(node: TreeNode): void {
    this.addEncoded(node.name.toString('latin1'), encodeNode(node))
  }

  /** As `add`, with what encodeNode gave for it. One character of the name stands for each byte. */
  addEncoded(latin1Name: string, text: string): void {
    if (this.#previous !== undefined && this.#previous >= latin1Name) throw impossibleName(Buffer.from(latin1Name, 'latin1'))
    this.#previous = latin1Name
    this.#texts.push(text)
    this.#characters += text.length
    if (this.#texts.length === nodesAtOnce || this.#characters >= charactersAtOnce) this.#encode()
  }

  /** The last piece is given; nothing can be added after that. */
  finish(): void {
    this.#encode(']}\n')
  }

  #encode(end = ''): void {
    const separator = this.#texts.length > 0 ? ',' : ''
    this.#onPiece(Buffer.from(`${this.#isBegun ? separator : '{"nodes":['}${this.#texts.join(',')}${end}`))
    this.#isBegun = true
    this.#texts = []
    this.#characters = 0
  }
}

/** As TreeEncoder, for nodes in any order, in one piece. */
export function encodeTree(nodes: readonly TreeNode[]): Buffer {
  const pieces: Buffer[] = []
  const encoder = new TreeEncoder((piece) => pieces.push(piece))
  for (const node of nodes.toSorted((a, b) => Buffer.compare(a.name, b.name))) encoder.add(node)
  encoder.finish()
  return Buffer.concat(pieces)
}

/** A node as it stands in the list of a tree. Two nodes of which nothing differs have the same text. Throws `internal` for a name that cannot be. */
export function encodeNode(node: TreeNode): string {
  if (!isSafeNodeName(node.name)) throw impossibleName(node.name)
  let json = `{"name":${goJsonString(goQuote(node.name))},"type":"${node.type}"`
  if (node.mode !== 0) json += `,"mode":${node.mode}`
  const mtime = formatTime(node.mtime)
  const atime = node.atime === node.mtime ? mtime : formatTime(node.atime)
  json += `,"mtime":"${mtime}","atime":"${atime}","ctime":"${formatTime(node.ctime)}"`
  json += `,"uid":${node.uid},"gid":${node.gid}`
  if (node.user) json += `,"user":${goJsonString(node.user)}`
  if (node.group) json += `,"group":${goJsonString(node.group)}`
  if (node.inode) json += `,"inode":${node.inode}`
  if (node.deviceId) json += `,"device_id":${node.deviceId}`
  if (node.size) json += `,"size":${node.size}`
  if (node.links) json += `,"links":${node.links}`
  if (node.linkTarget && node.linkTarget.length > 0) {
    json += `,"linktarget":${goJsonBytes(node.linkTarget)}`
    if (!isUtf8(node.linkTarget)) json += `,"linktarget_raw":"${base64(node.linkTarget)}"`
  }
  if (node.extendedAttributes && node.extendedAttributes.length > 0) {
    const items = node.extendedAttributes.map(({ name, value }) => `{"name":${goJsonString(name)},"value":"${base64(value)}"}`)
    json += `,"extended_attributes":[${items.join(',')}]`
  }
  if (node.genericAttributes) json += `,"generic_attributes":${node.genericAttributes}`
  if (node.device) json += `,"device":${node.device}`
  json += `,"content":${node.content === null ? 'null' : `[${node.content.map((id) => `"${id}"`).join(',')}]`}`
  if (node.subtree) json += `,"subtree":"${node.subtree}"`
  if (node.error) json += `,"error":${goJsonString(node.error)}`
  return `${json}}`
}

function impossibleName(name: Buffer): HoldfastError {
  return new HoldfastError('internal', { message: `a tree cannot have this name, or has it twice: ${goQuote(name)}` })
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}
