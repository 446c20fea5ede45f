/** What stat(2) has without a sign, as restic keeps it: Node gives every field of a stat as if it had one, and some file systems number inodes from 2⁶³ on. */
export function unsigned(value: bigint): bigint {
  return BigInt.asUintN(64, value)
}
