import { HoldfastError } from '../kernel/index.ts'
import { Moved, serve } from '../threads/index.ts'
import type { BlobType } from './blob.ts'
import { StoredBlobs } from './blob-table/stored-blobs.ts'
import { sealKeys } from './seal.ts'
import type { FileResult, WriterCalls, WriterMainCalls, WriterWorkerData } from './writer/calls.ts'
import { ContentReader } from './writer/content-reader.ts'
import { ContentSaver } from './writer/content-saver.ts'
import type { FileMaker } from './writer/contract.ts'
import { KnownBlobs } from './writer/known-blobs.ts'
import { oneByOne } from './writer/one-by-one.ts'
import { PackBuilder, type OpenPack } from './writer/pack-builder.ts'
import { attempt, readFile, Unreadable } from './writer/read-file.ts'

type OpenFileMaker = (data: unknown) => FileMaker<unknown> | Promise<FileMaker<unknown>>

/** A thread of a BlobWriter: reads, cuts, hashes, compresses, seals and packs. Calls are worked on one at a time, in order. */
await serve<WriterCalls, WriterMainCalls, WriterWorkerData>(
  async ({ masterKey, polynomial, stored, known, packBytes, bytesRead }, main) => {
    const keys = sealKeys(masterKey)
    const counter = new BigInt64Array(bytesRead)
    const builder = (type: BlobType) =>
      new PackBuilder(type, keys, (pack) => main.call('storePack', { type, pack }, [pack.memory.buffer]), packBytes)
    const packs = { data: builder('data'), tree: builder('tree') }
    const storedBlobs = new StoredBlobs(stored)
    const knownData = new KnownBlobs(known)
    const isNew = (id: Uint8Array) => !storedBlobs.has('data', id) && knownData.add(id)
    const newSaver = () => new ContentSaver(isNew, packs.data)
    const newReader = (saver: ContentSaver) => ContentReader.create(polynomial, (chunk) => saver.chunk(chunk))
    const files = newSaver()
    const fileReader = await newReader(files)
    const streams = new Map<number, { saver: ContentSaver; reader: ContentReader }>()
    const onRead = (bytes: number) => void Atomics.add(counter, 0, BigInt(bytes))
    const inTurn = oneByOne()
    const makers = new Map<number, FileMaker<unknown>>()
    const saveFile = async (maker: FileMaker<unknown>, latin1Path: string): Promise<FileResult> => {
      try {
        const stat = await readFile(Buffer.from(latin1Path, 'latin1'), fileReader, { wants: maker.wants, onRead })
        if (stat === undefined) return { made: undefined }
        const saved = files.take()
        return { made: attempt(() => maker.make({ latin1Path, stat, saved })) }
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error
        // What was saved of it stays saved, but belongs to no file.
        files.take()
        return { unreadable: error.message, ...(error.code !== undefined && { code: error.code }) }
      }
    }

    return {
      openMaker: ({ maker, entry, data }) =>
        inTurn(async () => {
          const { openFileMaker } = (await import(entry)) as { openFileMaker: OpenFileMaker }
          makers.set(maker, await openFileMaker(data))
        }),

      saveFiles: ({ maker: number, latin1Paths }) =>
        inTurn(async () => {
          const maker = makers.get(number)
          if (maker === undefined)
            throw new HoldfastError('internal', { message: `no thread knows what file maker ${number} is` })
          const results: FileResult[] = []
          for (const path of latin1Paths) results.push(await saveFile(maker, path))
          return results
        }),

      saveBytes: ({ bytes }) =>
        inTurn(async () => {
          onRead(bytes.length)
          fileReader.begin()
          await fileReader.push(bytes)
          await fileReader.end()
          return files.take()
        }),

      streamBytes: ({ stream, memory, length }) =>
        inTurn(async () => {
          let open = streams.get(stream)
          if (open === undefined) {
            const saver = newSaver()
            open = { saver, reader: await newReader(saver) }
            streams.set(stream, open)
          }
          onRead(length)
          await open.reader.push(memory.subarray(0, length))
          return new Moved(memory, [memory.buffer])
        }),

      endStream: ({ stream }) =>
        inTurn(async () => {
          const open = streams.get(stream)
          streams.delete(stream)
          await open?.reader.end()
          return open?.saver.take() ?? newSaver().take()
        }),

      dropStream: ({ stream }) => inTurn(async () => void streams.delete(stream)),

      saveTree: ({ id, text }) => inTurn(() => packs.tree.add(id, text)),

      takeOpen: () =>
        inTurn(async () => {
          const data = packs.data.take()
          const tree = packs.tree.take()
          const open: Partial<Record<BlobType, OpenPack>> = { ...(data && { data }), ...(tree && { tree }) }
          return new Moved(
            open,
            Object.values(open).map(({ memory }) => memory.buffer),
          )
        }),

      absorb: ({ data, tree }) =>
        inTurn(async () => {
          if (data !== undefined) await packs.data.absorb(data)
          if (tree !== undefined) await packs.tree.absorb(tree)
        }),

      finish: () =>
        inTurn(async () => {
          await packs.data.finish()
          await packs.tree.finish()
        }),
    }
  },
)
