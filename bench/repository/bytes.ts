import { createCipheriv, createHash, type Cipheriv } from 'node:crypto'

const words =
  'order customer invoice payment address pending shipped cancelled warehouse quantity discount currency berlin london tokyo paris lima oslo red green blue small large medium express standard return refund note priority gift wrapped north south east west'.split(
    ' ',
  )

/** Bytes that look random and are the same for the same seed: an AES key stream. */
export class SeededBytes {
  readonly #cipher: Cipheriv

  constructor(seed: string) {
    this.#cipher = createCipheriv('aes-128-ctr', createHash('sha256').update(seed).digest().subarray(0, 16), Buffer.alloc(16))
  }

  /** Nothing compresses them. */
  random(length: number): Buffer {
    return this.#cipher.update(Buffer.alloc(length))
  }

  /** Words of a small vocabulary with numbers between them: compresses to about a quarter. */
  text(length: number): Buffer {
    const choices = this.random(Math.ceil(length / 4) + 8)
    const parts: string[] = []
    for (let written = 0, at = 0; written < length; at++) {
      const choice = choices[at % choices.length] ?? 0
      const part = choice < 200 ? (words[choice % words.length] ?? '') : String(choices.readUInt16LE(at % (choices.length - 2)))
      parts.push(part)
      written += part.length + 1
    }
    return Buffer.from(parts.join(choices[0] === 0 ? '\n' : ' ')).subarray(0, length)
  }

  /** Pages as a database has them: 8 KiB with a header, rows that count up, and free space behind them. */
  pages(count: number, first: number): Buffer {
    const memory = Buffer.alloc(count * pageBytes)
    for (let page = 0; page < count; page++) {
      const choices = this.random(1024)
      const start = page * pageBytes
      memory.writeUInt32LE(first + page, start)
      let at = start + 24
      for (let row = 0; row < 60; row++) {
        const [a = 0, b = 0, c = 0, d = 0] = choices.subarray(row * 16, row * 16 + 4)
        at += memory.write(
          `${(first + page) * 60 + row}|${words[a % words.length]} ${words[b % words.length]}|${c * 256 + d}|`,
          at,
        )
        at += choices.copy(memory, at, row * 16 + 4, row * 16 + 16)
        if (at > start + pageBytes - 80) break
      }
    }
    return memory
  }
}

export const pageBytes = 8192
