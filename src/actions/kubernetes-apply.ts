import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { clusterName } from '../catalog/index.ts'
import { HoldfastError, isHoldfastError, messageOf, quote, sha256Hex, systemCode, type Json } from '../kernel/index.ts'
import { done, halfDone, notDone, unknown, type ActionContext, type Finding } from './contract.ts'
import { defineAction } from './define-action.ts'
import { appliedObject, applyObject, standingOf, undoObject, type AppliedObject } from './kubernetes/applied.ts'
import { applyFindings } from './kubernetes/apply-findings.ts'
import { changedMeanwhile } from './kubernetes/change.ts'
import { identityFindings, openCluster, type Cluster } from './kubernetes/cluster.ts'
import { kubectlFor } from './kubernetes/kubectl.ts'
import { objectsOf, parseManifest } from './kubernetes/manifest.ts'
import { assertPlace, kubectlName } from './kubernetes/object-params.ts'
import { fieldManager, kubeName, nameOf, refOf, type KubeObject } from './kubernetes/object.ts'
import { untilEstablished } from './kubernetes/until-established.ts'
import { outputReference, pathOrOutput } from './param-types.ts'
import { readNote, writeNote } from './step-notes.ts'

const params = z
  .strictObject({
    cluster: clusterName.describe('The cluster, by its name in the catalog.'),
    namespace: kubeName.describe('Where objects go that are in a namespace and name none.').optional(),
    manifest: pathOrOutput
      .describe('The path of a YAML file of objects. A plan’s hash, and so an approval, covers what is in it only with `sha256`.')
      .optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .meta({
        expected: '64 lower-case hexadecimal digits',
        description: 'The SHA-256 of the manifest (`sha256sum`): another content is refused.',
      })
      .optional(),
    objects: z.array(z.record(z.string(), z.unknown())).min(1).describe('The objects themselves, as in a manifest.').optional(),
    force: z
      .boolean()
      .describe('Takes fields over that others own and set otherwise; else that is a conflict, and nothing begins.')
      .default(false),
  })
  .refine(({ manifest, objects }) => (manifest === undefined) !== (objects === undefined), {
    message: "exactly one of 'manifest' and 'objects'",
  })
  .refine(({ manifest, sha256 }) => sha256 === undefined || manifest !== undefined, {
    message: "a 'sha256' goes with a 'manifest'",
  })

type Params = z.infer<typeof params>

const note = z.strictObject({ entries: z.array(appliedObject) })

/** Server-side apply of a manifest. Its undo puts back what was there, and deletes what was not. */
export const kubernetesApply = defineAction<Params>({
  kind: 'kubernetes.apply',
  description:
    'Applies a manifest by server-side apply, as the field manager `holdfast`, one object after the other. The preflight lets the cluster try it (a dry run): fields that others own and set otherwise, objects that are not valid and what is forbidden stop the plan. What was there is noted before. The undo goes backwards: it puts the changed fields back, with who owned them, and deletes what it created, unless others may keep things in it by then (namespaces, definitions of custom resources, volumes and claims stay). It fails where somebody else has changed the same since. A Secret that is there already is not changed, for what it held would have to be written down. It does not wait for what controllers make of it: `kubernetes.wait` does. Outputs: `created`, `changed`, `unchanged`, each a list of names.',
  example: { cluster: 'dr', namespace: 'shop', manifest: '/srv/recovery/shop.yaml' },
  effect: 'reversible',
  params,

  async preflight(p, context, signal) {
    if (outputReference.test(JSON.stringify(p))) return []
    await using cluster = await openCluster(p.cluster, context, signal)
    const findings: Finding[] = await identityFindings(cluster)
    const objects = await placed(cluster, p, await readObjects(p), false)
    for (const object of objects) findings.push(...(await applyFindings(cluster, object, objects, p.force)))
    return findings
  },

  async probe(p, context, { signal, idempotencyKey }) {
    const entries = (await readNote(context, idempotencyKey, note))?.entries ?? []
    if (entries.length === 0) return notDone
    await using cluster = await openCluster(p.cluster, context, signal)
    await cluster.assertIdentity()
    const objects = await readObjects(p)
    let isAll = entries.length === objects.length
    let isAny = false
    for (const entry of entries) {
      const stands = await standingOf(cluster, entry)
      if (stands === 'otherwise')
        return unknown(`${nameOf(entry.ref)} is neither as it was nor as it is to be: somebody else changes it`)
      if (stands === 'as-told') isAny = true
      else isAll = false
    }
    if (isAll) return done(outcome(entries))
    return isAny ? halfDone : notDone
  },

  async run(p, context, { signal, idempotencyKey }) {
    await using cluster = await openCluster(p.cluster, context, signal)
    await cluster.assertIdentity()
    const entries = [...((await readNote(context, idempotencyKey, note))?.entries ?? [])]
    for (const parsed of await readObjects(p)) {
      const [object = parsed] = await placed(cluster, p, [parsed], true)
      const name = nameOf(refOf(object))
      const known = entries.findIndex(({ ref }) => nameOf(ref) === name)
      const earlier = entries[known]
      const stands = earlier === undefined ? 'as-before' : await standingOf(cluster, earlier)
      if (stands === 'otherwise') throw changedMeanwhile(refOf(object))
      if (stands === 'as-told') continue
      const at = known < 0 ? entries.length : known
      context.progress({ step: context.step, text: `applying ${name}` })
      await applyObject(cluster, object, p.force, async (entry) => {
        entries.splice(at, 1, ...(entry === undefined ? [] : [entry]))
        await writeNote(context, idempotencyKey, { entries } as unknown as Json)
      })
      if (object.kind === 'CustomResourceDefinition') await untilEstablished(cluster, refOf(object), context, signal)
    }
    return outcome(entries)
  },

  async undo(p, _output, context, { signal, idempotencyKey }) {
    const entries = (await readNote(context, idempotencyKey, note))?.entries ?? []
    if (entries.length === 0) return
    await using cluster = await openCluster(p.cluster, context, signal)
    await cluster.assertIdentity()
    await undoAll(cluster, entries, context, signal)
  },

  reach: () => 'outside',
  manual: (p, catalog) => {
    const { before, line } = kubectlFor(p.cluster, catalog)
    const { from, input } = source(p)
    const apply = ['apply', '--server-side', `--field-manager=${fieldManager}`, ...(p.force ? ['--force-conflicts'] : []), from]
    const check = p.sha256 === undefined ? [] : [`echo ${quote(`${p.sha256}  ${p.manifest}`)} | sha256sum --check`]
    return [
      ...before,
      ...check,
      `${input}${line(['get', '--ignore-not-found', '--output=yaml', from], p.namespace)} | grep -v '^ *resourceVersion: ' > ${fileOf(p)} || true   # what is there: keep this file`,
      `${input}${line(apply, p.namespace)}`,
    ]
  },
  manualUndo: (p, catalog) => {
    const { before, line } = kubectlFor(p.cluster, catalog)
    const names = (p.objects === undefined ? [] : objectsOf(p.objects, 'objects')).map((object) => kubectlName(refOf(object)))
    return [
      ...before,
      `if test -s ${fileOf(p)}; then ${line(['replace', `--filename=${fileOf(p)}`], p.namespace)}; fi`,
      `# and delete what is not in ${fileOf(p)}, for it was not there${names.length === 0 ? '' : `: of ${names.join(', ')}`}`,
    ]
  },
})

async function readObjects({ manifest, objects, sha256 }: Params): Promise<KubeObject[]> {
  if (manifest === undefined) return objectsOf(objects ?? [], "'objects'")
  let text: string
  try {
    text = await readFile(manifest, 'utf8')
  } catch (error) {
    throw new HoldfastError(systemCode(error) === 'ENOENT' ? 'not-found' : 'command-failed', {
      message: `the manifest ${manifest} cannot be read: ${messageOf(error)}`,
      cause: error,
    })
  }
  const found = sha256Hex(text)
  if (sha256 === undefined || sha256 === found) return parseManifest(text, manifest)
  throw new HoldfastError('identity-mismatch', {
    message: `the manifest ${manifest} has another content than the plan says: its SHA-256 is ${found}`,
    hint: 'look at what has changed in it; then write the new one into the plan',
  })
}

/** The objects with their namespaces. A kind that only the manifest itself defines is known once that is applied: `strict` then. */
async function placed(
  cluster: Cluster,
  { namespace }: Params,
  objects: readonly KubeObject[],
  strict: boolean,
): Promise<KubeObject[]> {
  const result: KubeObject[] = []
  for (const object of objects) {
    try {
      const isElsewhere = object.metadata.namespace !== undefined || namespace === undefined
      const needsOne = !isElsewhere && (await cluster.isNamespaced(object))
      const one = needsOne ? { ...object, metadata: { ...object.metadata, namespace } } : object
      await assertPlace(cluster, refOf(one))
      result.push(one)
    } catch (error) {
      if (strict || !isHoldfastError(error, 'not-found') || error.details.unknownKind !== true) throw error
      result.push(object)
    }
  }
  return result
}

/** The last one first. One that cannot be undone keeps no other from it. */
async function undoAll(
  cluster: Cluster,
  entries: readonly AppliedObject[],
  context: ActionContext,
  signal: AbortSignal,
): Promise<void> {
  const failures: HoldfastError[] = []
  for (const entry of entries.toReversed()) {
    try {
      await undoObject(cluster, entry, context, signal)
    } catch (error) {
      if (!isHoldfastError(error) || signal.aborted) throw error
      failures.push(error)
    }
  }
  const [first] = failures
  if (first === undefined) return
  throw new HoldfastError(first.code, {
    message: failures.map(({ message }) => message).join('; '),
    ...(first.hint === undefined ? {} : { hint: first.hint }),
    retryable: failures.every(({ retryable }) => retryable),
    cause: first,
  })
}

function outcome(entries: readonly AppliedObject[]) {
  const names = (which: (entry: AppliedObject) => boolean) => entries.filter(which).map(({ ref }) => nameOf(ref))
  return {
    created: names(({ created }) => created),
    changed: names(({ created, changes }) => !created && changes.length > 0),
    unchanged: names(({ created, changes }) => !created && changes.length === 0),
  }
}

/** One for each step: several may be done in one folder. */
function fileOf({ manifest, objects }: Params): string {
  const [first] = objects === undefined ? [] : objectsOf(objects, 'objects')
  const name = first === undefined ? (manifest ?? '').split('/').at(-1) : `${first.kind.toLowerCase()}-${first.metadata.name}`
  return `before-${(name ?? '').replace(/\.ya?ml$/, '').replaceAll(/[^\w.-]/g, '_')}.yaml`
}

/** For kubectl: a file, or what is piped into it. */
function source({ manifest, objects }: Params): { readonly from: string; readonly input: string } {
  if (manifest !== undefined) return { from: `--filename=${manifest}`, input: '' }
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
  return { from: '--filename=-', input: `printf '%s' ${quote(list)} | ` }
}
