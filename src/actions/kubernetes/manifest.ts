import { LineCounter, parseAllDocuments, type Tags } from 'yaml'
import { z } from 'zod'
import { HoldfastError } from '../../kernel/index.ts'
import { kubeObject, nameOf, refOf, type KubeObject } from './object.ts'

/**
 * The objects of a manifest, in their order; lists are taken apart. It is read as kubectl reads it, which takes YAML 1.1's octal numbers and
 * yes and no for what they were, and knows no dates. Throws `usage` naming the place when it is none, and when there is no object in it.
 */
export function parseManifest(text: string, name: string): KubeObject[] {
  const lineCounter = new LineCounter()
  const customTags = (tags: Tags): Tags =>
    tags.filter((tag) => typeof tag === 'string' || tag.tag !== 'tag:yaml.org,2002:timestamp')
  const documents = parseAllDocuments(text, { version: '1.1', customTags, lineCounter, prettyErrors: false })
  const values: unknown[] = []
  for (const document of 'empty' in documents ? [] : documents) {
    const [problem] = [...document.errors, ...document.warnings]
    if (problem !== undefined) {
      const { line, col } = lineCounter.linePos(problem.pos[0])
      throw new HoldfastError('usage', { message: `${name}:${line}:${col}: ${problem.message.split('\n')[0]}` })
    }
    values.push(document.toJS())
  }
  return objectsOf(
    values.filter((value) => value !== null),
    name,
  )
}

/** The same of objects that are there already. */
export function objectsOf(values: readonly unknown[], name: string): KubeObject[] {
  const objects = values.flatMap(itemsOf).map((value, index) => {
    const parsed = kubeObject.safeParse(value)
    if (parsed.success) return parsed.data
    const which = index === 0 ? 'the first object' : `object ${index + 1}`
    throw new HoldfastError('usage', {
      message: `${which} of ${name} is none of Kubernetes: ${z.prettifyError(parsed.error).replaceAll('\n', '; ')}`,
      hint: 'each needs apiVersion, kind and metadata.name',
    })
  })
  if (objects.length === 0) throw new HoldfastError('usage', { message: `there is no object in ${name}` })
  const names = objects.map((object) => nameOf(refOf(object)))
  const repeated = objects.find((object, index) => names.indexOf(nameOf(refOf(object))) < index)
  if (repeated !== undefined)
    throw new HoldfastError('usage', { message: `${nameOf(refOf(repeated))} is in ${name} twice: one would undo the other` })
  return objects
}

function itemsOf(value: unknown): readonly unknown[] {
  const list = z.object({ kind: z.string().endsWith('List'), items: z.array(z.unknown()) }).safeParse(value)
  return list.success ? list.data.items : [value]
}
