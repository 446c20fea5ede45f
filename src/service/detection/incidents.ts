import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { HoldfastError, syncDirectory, systemCode, writeFileDurably, stateDirectory } from '../../kernel/index.ts'

/** An outage that a run of the plan was decided for, by quorum and without asking. It names its run before that is submitted. */
const incident = z.strictObject({
  version: z.literal(1),
  /** Also the id of its run. */
  id: z.string(),
  plan: z.string(),
  service: z.string(),
  onset: z.iso.datetime(),
  decidedAt: z.iso.datetime(),
  /** The observers that saw it. */
  by: z.array(z.string()),
  /** Of its run. */
  form: z.enum(['normal', 'disaster']).default('normal'),
  /** What people were told of it, by why they were. */
  told: z.array(z.string()).default([]),
  /** When it was over: the service was seen well after the run, or another outage began before there was a run. */
  overAt: z.iso.datetime().optional(),
})
export type Incident = z.infer<typeof incident>

/** `orders-failover-20261126T200501123Z`: one for a plan and an onset. */
export function incidentId(plan: string, onset: Date): string {
  return `${plan.replaceAll(/[^\w.-]/g, '-').slice(0, 60)}-detected-${onset.toISOString().replaceAll(/[-:.]/g, '')}`
}

/** Durable when it returns. */
export async function writeIncident(catalogFile: string, record: Incident): Promise<void> {
  const folder = folderOf(catalogFile)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeFileDurably(join(folder, `${record.id}.json`), JSON.stringify(record))
  await syncDirectory(stateDirectory(catalogFile))
}

/** The newest of a plan that is not over. */
export async function openIncident(catalogFile: string, plan: string): Promise<Incident | undefined> {
  return (await readIncidents(catalogFile, plan)).findLast(({ overAt }) => overAt === undefined)
}

/** Of one plan, oldest first. Throws `journal-damaged` for one that cannot be read: to overlook it could mean a second failover. */
async function readIncidents(catalogFile: string, plan: string): Promise<Incident[]> {
  const folder = folderOf(catalogFile)
  const found: Incident[] = []
  for (const name of (await namesIn(folder)).filter((each) => each.endsWith('.json'))) {
    const path = join(folder, name)
    const parsed = incident.safeParse(asJson(await readFile(path, 'utf8')))
    if (!parsed.success) {
      throw new HoldfastError('journal-damaged', {
        message: `the record of an incident, ${path}, cannot be read`,
        hint: 'see with `holdfast run list` whether its run has begun; move the file away when that is settled',
        details: { file: path },
      })
    }
    if (parsed.data.plan === plan) found.push(parsed.data)
  }
  return found.sort((a, b) => a.decidedAt.localeCompare(b.decidedAt))
}

function folderOf(catalogFile: string): string {
  return join(stateDirectory(catalogFile), 'incidents')
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
