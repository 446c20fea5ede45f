import { isUtf8 } from 'node:buffer'
import { HoldfastError } from '../../kernel/index.ts'
import { goJsonBytes, goJsonString } from './go-json.ts'
import { goQuote } from './go-quote.ts'
import { isSafeNodeName, type TreeNode } from './node.ts'
import { formatTime } from './time.ts'

/**
 * The exact bytes of a tree, so that its id is the one restic would give it: nodes in byte order of their names, Go's field order,
 * quoting and escaping, a newline at the end. Throws `internal` for a name that cannot be or that is there twice.
 */
export function encodeTree(nodes: readonly TreeNode[]): Buffer {
  const sorted = nodes.toSorted((a, b) => Buffer.compare(a.name, b.name))
  for (const [at, { name }] of sorted.entries()) {
    const previous = sorted[at - 1]
    if (!isSafeNodeName(name) || (previous !== undefined && Buffer.compare(previous.name, name) === 0))
      throw new HoldfastError('internal', { message: `a tree cannot have this name, or has it twice: ${goQuote(name)}` })
  }
  return Buffer.from(`{"nodes":[${sorted.map(encodeNode).join(',')}]}\n`)
}

function encodeNode(node: TreeNode): string {
  let json = `{"name":${goJsonString(goQuote(node.name))},"type":"${node.type}"`
  if (node.mode !== 0) json += `,"mode":${node.mode}`
  json += `,"mtime":"${formatTime(node.mtime)}","atime":"${formatTime(node.atime)}","ctime":"${formatTime(node.ctime)}"`
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

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}
