/** What file systems keep holes in units of. */
const blockBytes = 4096
const zeros = Buffer.alloc(blockBytes)

/** A part of a plaintext, and where in the file it goes. */
interface Run {
  readonly bytes: Uint8Array
  readonly at: number
}

/** The parts of a plaintext that are not whole blocks of zeros, by the blocks of the file: to be written to a file of holes. */
export function* withoutHoles(plaintext: Uint8Array, at: number): Generator<Run> {
  let from = 0
  let start = (blockBytes - (at % blockBytes)) % blockBytes
  for (; start + blockBytes <= plaintext.length; start += blockBytes) {
    if (Buffer.compare(zeros, plaintext.subarray(start, start + blockBytes)) !== 0) continue
    if (start > from) yield { bytes: plaintext.subarray(from, start), at: at + from }
    from = start + blockBytes
  }
  if (from < plaintext.length) yield { bytes: plaintext.subarray(from), at: at + from }
}
