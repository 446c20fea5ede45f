import { pointerWord, type Change, type PatchOperation } from './json-patch.ts'
import type { Workload } from './workload.ts'

/** The annotation that `kubectl rollout restart` sets: a template that differs in it is a new one. */
const restartedAt = 'kubectl.kubernetes.io/restartedAt'
const annotations = '/spec/template/metadata/annotations'

export function restartChanges({ spec }: Workload, at: Date): Change[] {
  const now = at.toISOString()
  const before = spec.template.metadata?.annotations
  if (before === undefined) return [{ path: annotations, after: { [restartedAt]: now } }]
  const previous = before[restartedAt]
  return [
    { path: `${annotations}/${pointerWord(restartedAt)}`, ...(previous === undefined ? {} : { before: previous }), after: now },
  ]
}

/** Only those that differ. */
export function imageChanges(workload: Workload, images: Readonly<Record<string, string>>): Change[] {
  return places(workload, images).flatMap(({ path, image, container }) => {
    const after = images[container]
    return after === undefined || after === image ? [] : [{ path: `${path}/image`, before: image, after }]
  })
}

/** Containers are a list: that each is still where it was seen. */
export function containerTests(workload: Workload, images: Readonly<Record<string, string>> = {}): PatchOperation[] {
  return places(workload, images).map(({ path, container }) => ({ op: 'test', path: `${path}/name`, value: container }))
}

function places({ spec }: Workload, images: Readonly<Record<string, string>>) {
  const { containers, initContainers } = spec.template.spec
  return Object.entries({ containers, initContainers }).flatMap(([list, members]) =>
    members.flatMap(({ name, image }, index) =>
      Object.hasOwn(images, name) ? [{ path: `/spec/template/spec/${list}/${index}`, container: name, image }] : [],
    ),
  )
}
