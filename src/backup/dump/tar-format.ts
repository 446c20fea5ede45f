import type { TreeNode } from '../../repository/index.ts'
import { unixPermissions } from '../file-mode.ts'

/**
 * POSIX.1-2001's tar: a ustar header for each entry, and before it an extended one (pax) for what does not fit: long names, other than
 * ASCII, sizes from 8 GiB, times with a fraction or before 1970, extended attributes. Own code because the libraries take names for UTF-8
 * text: those of a file system are bytes.
 * (IEEE Std 1003.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; SCHILY.xattr as GNU tar and bsdtar write it.)
 */

export const blockBytes = 512

const typeFlags = { file: '0', link: '1', symlink: '2', chardev: '3', dev: '4', dir: '5', fifo: '6' } as const
export type TarType = keyof typeof typeFlags

export function isTarType(type: string): type is TarType {
  return Object.hasOwn(typeFlags, type)
}

export interface TarEntry {
  /** Relative; a folder's without the slash at its end. */
  readonly path: Buffer
  readonly node: TreeNode
  /** Of a file that is another name of one before: that one's path. */
  readonly linkTo?: Buffer
}

/** The headers of an entry; its content comes next, filled up to whole blocks. */
export function tarHeader({ path, node, linkTo }: TarEntry): Buffer {
  const type = linkTo ? 'link' : isTarType(node.type) ? node.type : 'file'
  const name = type === 'dir' ? Buffer.concat([path, Buffer.from('/')]) : path
  const target = linkTo ?? node.linkTarget ?? Buffer.alloc(0)
  const fields = { name, target, size: type === 'file' ? (node.size ?? 0n) : 0n }
  const records = paxRecords(node, fields, type !== 'link')
  const header = ustar({ ...fields, node, flag: typeFlags[type] })
  if (records.length === 0) return header
  const body = Buffer.concat(records)
  const extended = ustar({ name: Buffer.from('pax-header'), target: Buffer.alloc(0), size: BigInt(body.length), node, flag: 'x' })
  return Buffer.concat([extended, body, padding(body.length), header])
}

/** What fills content of this size up to whole blocks. */
export function padding(sizeBytes: number | bigint): Buffer {
  return Buffer.alloc((blockBytes - Number(BigInt(sizeBytes) % BigInt(blockBytes))) % blockBytes)
}

/** Two empty blocks. */
export const tarEnd = Buffer.alloc(2 * blockBytes)

interface Fields {
  readonly name: Buffer
  readonly target: Buffer
  readonly size: bigint
}

function paxRecords(
  { mtime, uid, gid, user = '', group = '', extendedAttributes = [] }: TreeNode,
  { name, target, size }: Fields,
  withAttributes: boolean,
): Buffer[] {
  const records: Buffer[] = []
  const add = (key: string, value: string | Uint8Array) => records.push(paxRecord(key, Buffer.from(value as Uint8Array)))
  if (!fits(name, 100)) add('path', name)
  if (!fits(target, 100)) add('linkpath', target)
  if (size > largest(11)) add('size', size.toString())
  if (mtime < 0n || mtime % nsPerSecond !== 0n || mtime / nsPerSecond > largest(11)) add('mtime', decimalSeconds(mtime))
  if (BigInt(uid) > largest(7)) add('uid', uid.toString())
  if (BigInt(gid) > largest(7)) add('gid', gid.toString())
  if (!fits(Buffer.from(user), 32)) add('uname', user)
  if (!fits(Buffer.from(group), 32)) add('gname', group)
  for (const { name: key, value } of withAttributes ? extendedAttributes : [])
    // A name with the sign that ends names could not be read back.
    if (!key.includes('=')) add(`SCHILY.xattr.${key}`, value)
  return records
}

/** `LENGTH key=value\n`, where the length counts its own digits. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')])
  let length = rest.length
  while (rest.length + length.toString().length !== length) length = rest.length + length.toString().length
  return Buffer.concat([Buffer.from(length.toString()), rest])
}

const nsPerSecond = 1_000_000_000n
/** Printable; the rest is for the extended header. */
const ascii = /^[\x20-\x7e]*$/

function fits(text: Buffer, bytes: number): boolean {
  return text.length <= bytes && ascii.test(text.toString('latin1'))
}

/** The largest number of so many octal digits. */
function largest(digits: number): bigint {
  return 8n ** BigInt(digits) - 1n
}

/** Exact, before 1970 too: `-1.000000001`. */
function decimalSeconds(ns: bigint): string {
  const [sign, size] = ns < 0n ? ['-', -ns] : ['', ns]
  const fraction = (size % nsPerSecond).toString().padStart(9, '0').replace(/0+$/, '')
  return `${sign}${size / nsPerSecond}${fraction === '' ? '' : `.${fraction}`}`
}

function ustar({ name, target, size, node, flag }: Fields & { readonly node: TreeNode; readonly flag: string }): Buffer {
  const { mode, uid, gid, mtime, user = '', group = '', device = 0n } = node
  const header = Buffer.alloc(blockBytes)
  const octal = (value: bigint, at: number, digits: number) => {
    const shown = value < 0n || value > largest(digits) ? 0n : value
    header.write(shown.toString(8).padStart(digits, '0'), at, 'latin1')
  }
  name.copy(header, 0, 0, 100)
  octal(BigInt(unixPermissions(mode)), 100, 7)
  octal(BigInt(uid), 108, 7)
  octal(BigInt(gid), 116, 7)
  octal(size, 124, 11)
  octal(mtime / nsPerSecond, 136, 11)
  header.write(' '.repeat(8), 148, 'latin1')
  header.write(flag, 156, 'latin1')
  target.copy(header, 157, 0, 100)
  header.write('ustar\x0000', 257, 'latin1')
  Buffer.from(user).copy(header, 265, 0, 31)
  Buffer.from(group).copy(header, 297, 0, 31)
  if (flag === '3' || flag === '4') {
    octal(major(device), 329, 7)
    octal(minor(device), 337, 7)
  }
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\x00 `, 148, 'latin1')
  return header
}

// As Linux' makedev puts them together (gnu_dev_makedev).
function major(device: bigint): bigint {
  return ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xffff_f000n)
}

function minor(device: bigint): bigint {
  return (device & 0xffn) | ((device >> 12n) & 0xffff_ff00n)
}
