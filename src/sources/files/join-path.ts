const slash = Buffer.from('/')

export function joinPath(directory: Buffer, name: Buffer): Buffer {
  return directory.at(-1) === slash[0] ? Buffer.concat([directory, name]) : Buffer.concat([directory, slash, name])
}
